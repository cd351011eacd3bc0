"""What MLflow says of a run, in our terms; the same in its databases and its folders."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from modelkb_store.records import Status
from modelkb_viewer.exchange.exporting.mlflow_names import ID_TAG, legal_names
from modelkb_viewer.exchange.importing.curve_names import epochs_of, split_and_metric
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, Point
from modelkb_viewer.exchange.importing.parameter_values import value_of

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_OF_MLFLOW = ("mlflow.", "modelkb.")
_STATUS = {
    "FINISHED": Status.FINISHED,
    "FAILED": Status.FAILED,
    "KILLED": Status.INTERRUPTED,
}
_NOT_ENDED = "it had not ended in MLflow when it was imported"


@dataclass(frozen=True, slots=True)
class MLflowRun:
    """A run as MLflow keeps it.

    Attributes:
        experiment: The name of MLflow's experiment.
        status: As MLflow spells it, such as ``FINISHED``.
        start_time, end_time: In milliseconds since 1970.
        metrics: For each name its ``(step, timestamp, value)``.
    """

    run_id: str
    name: str | None
    experiment: str
    user: str | None
    status: str
    start_time: int | None
    end_time: int | None
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, list[tuple[int, int, float]]]

    def imported(self, project: str | None) -> ImportedRun:
        """Return the run in our terms.

        Args:
            project: The project to put it into; by default MLflow's experiment.
        """
        points = [point for name, rows in self.metrics.items() for point in _points(name, rows)]
        last = max((point.wall_time for point in points), default=None)
        started_at = _moment(self.start_time) or min(
            (point.wall_time for point in points), default=_EPOCH
        )
        has_ended = self.status in _STATUS
        return ImportedRun(
            origin=self.run_id,
            project=project or self.experiment,
            name=self.tags.get("mlflow.runName") or self.name or self.run_id,
            source=f"MLflow: run {self.run_id} of the experiment {self.experiment!r}",
            started_at=started_at,
            ended_at=_moment(self.end_time) or last,
            status=_STATUS.get(self.status, Status.INTERRUPTED),
            owner=self.tags.get("mlflow.user") or self.user or None,
            tags=tuple(_tags(self.tags)),
            notes=self.tags.get("mlflow.note.content", ""),
            parameters={name: value_of(text) for name, text in self.params.items()},
            points=points,
            problems=() if has_ended else (_NOT_ENDED,),
            exported_from=self.tags.get(ID_TAG),
        )


def _points(name: str, rows: list[tuple[int, int, float]]) -> Iterable[Point]:
    split, metric = split_and_metric(name)
    in_order = sorted(rows, key=lambda row: row[:2])
    epochs = epochs_of(step for step, _, _ in in_order)
    for epoch, (step, timestamp, value) in zip(epochs, in_order, strict=True):
        moment = _moment(timestamp) or _EPOCH
        yield Point(epoch, step, split, metric, _value(value), moment)


def _value(value: float) -> float:
    """Return a value; for infinity MLflow's databases have the largest number."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _tags(tags: Mapping[str, str]) -> Iterable[str]:
    """Yield tags: MLflow's have a name and a value, ours are texts."""
    for name, value in tags.items():
        if name.startswith(_OF_MLFLOW):
            continue
        # Those that were exported have the whole tag for a value, and a name made of it.
        is_one_of_ours = value and legal_names([value])[value] == name
        yield value if is_one_of_ours else f"{name}: {value}" if value else name


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
