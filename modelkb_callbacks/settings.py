"""The settings of a recording, as the user gives them to the callback."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelkb_callbacks.credentials import redacted
from modelkb_store.errors import InvalidSettingError
from modelkb_store.layout import resolve_store_path
from modelkb_store.project_names import project_folder

PROJECT_VARIABLE = "MODELKB_PROJECT"
DEFAULT_PROJECT = "default"
DEFAULT_EVALUATION_SAMPLES = 10_000


@dataclass(frozen=True)
class Settings:
    """What :class:`ModelKBCallback` was told; see there for the meaning of each field."""

    store: str | os.PathLike[str] | None = None
    project: str = ""
    name: str | None = None
    owner: str | None = None
    tags: Sequence[str] = ()
    notes: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    class_names: Sequence[str] | None = None
    batch_metrics: bool = False
    save_weights: bool = True
    evaluation_samples: int = DEFAULT_EVALUATION_SAMPLES
    strict: bool = False
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        # Found out where the user wrote it, before a training begins.
        project = self.project or os.environ.get(PROJECT_VARIABLE) or DEFAULT_PROJECT
        project_folder(project)
        object.__setattr__(self, "project", project)
        if isinstance(self.tags, str):
            raise InvalidSettingError("tags", self.tags, f"a list of texts, as in [{self.tags!r}]")
        if isinstance(self.class_names, str):
            raise InvalidSettingError("class_names", self.class_names, "a list of texts")
        if self.evaluation_samples < 1:
            raise InvalidSettingError("evaluation_samples", self.evaluation_samples, "at least 1")
        if self.class_names is not None:
            object.__setattr__(self, "class_names", tuple(str(name) for name in self.class_names))
        object.__setattr__(self, "tags", tuple(redacted([str(tag) for tag in self.tags])))
        object.__setattr__(self, "notes", redacted(str(self.notes)))
        object.__setattr__(self, "name", None if self.name is None else redacted(self.name))
        # Now, so that a later os.chdir does not move the store.
        object.__setattr__(self, "root", resolve_store_path(self.store))
        object.__setattr__(self, "params", dict(self.params))
