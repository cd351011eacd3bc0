"""A run of another tool, in our terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelkb_store.records import Status

# Reads one run; raises DamagedSourceError where that cannot be done, and NoRunInFileError where
# there is none.
RunReader = Callable[[], "ImportedRun"]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a curve.

    Attributes:
        epoch: Where it is on the curve: the epoch, or the step where the tool has no epochs.
    """

    epoch: int
    step: int
    split: str
    metric: str
    value: float
    wall_time: datetime


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """What another tool knows of a run.

    Attributes:
        origin: What tells this run from all others of the tool, such as MLflow's id.
        project: The project to put it into.
        source: Where it is from, for people.
        exported_from: The id of the experiment that it was made from, if it is one of ours.
        owner: Who ran it; None where the tool does not know.
    """

    origin: str
    project: str
    name: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    status: Status = Status.FINISHED
    owner: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    points: Sequence[Point] = ()
    problems: tuple[str, ...] = ()
    exported_from: str | None = None
