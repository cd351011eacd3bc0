"""The settings of a recording, as the user gives them to the callback."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelkb_callbacks.credentials import redacted
from modelkb_store.errors import InvalidSettingError
from modelkb_store.layout import resolve_store_location
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
    tags: Sequence[str] | None = ()
    notes: str | None = ""
    params: Mapping[str, Any] | None = None
    class_names: Sequence[str] | None = None
    batch_metrics: bool = False
    console: bool = False
    save_weights: bool = True
    checkpoints: str | None = None
    monitor: str | None = None
    resume: str | bool = False
    evaluation_samples: int = DEFAULT_EVALUATION_SAMPLES
    silence: Sequence[str] = ()
    strict: bool = False
    store_location: str = field(init=False)

    def __post_init__(self) -> None:
        # Found out where the user wrote it, before a training begins.
        project = self.project or os.environ.get(PROJECT_VARIABLE) or DEFAULT_PROJECT
        project_folder(project)
        for name in ("name", "owner", "notes", "monitor"):
            _check(name, getattr(self, name), (str, type(None)), "a text")
        _check("params", self.params, (Mapping, type(None)), "a dictionary")
        for name in ("tags", "class_names", "silence"):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, (Iterable, type(None))):
                raise InvalidSettingError(name, value, "a list of texts")
        if self.checkpoints not in (None, "epoch", "best"):
            raise InvalidSettingError("checkpoints", self.checkpoints, "'epoch', 'best' or None")
        _check("resume", self.resume, (str, bool), "an experiment's id, or True")
        if not isinstance(self.evaluation_samples, int) or self.evaluation_samples < 1:
            raise InvalidSettingError(
                "evaluation_samples", self.evaluation_samples, "a whole number from 1"
            )
        plain = {
            "project": project,
            "tags": tuple(redacted([str(tag) for tag in self.tags or ()])),
            "notes": redacted(self.notes or ""),
            "name": redacted(self.name),
            "owner": redacted(self.owner),
            "params": dict(self.params or {}),
            "class_names": _texts(self.class_names),
            # Now, so that a later os.chdir does not move the store.
            "store_location": resolve_store_location(self.store),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)


def _check(argument: str, value: object, kinds: tuple[type, ...], expected: str) -> None:
    if not isinstance(value, kinds):
        raise InvalidSettingError(argument, value, expected)


def _texts(names: Iterable[Any] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(str(name) for name in names)
