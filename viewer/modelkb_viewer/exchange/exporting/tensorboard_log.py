"""A log folder of TensorBoard, with the names that Keras' callback gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelkb_store import Experiment
from modelkb_store.errors import MissingPackageError
from modelkb_store.records import ExperimentRecord, MetricRecord, Status
from modelkb_viewer.exchange.errors import ExportTargetError
from modelkb_viewer.exchange.exporting.curve_points import curve_points
from modelkb_viewer.exchange.exporting.exported import Exported
from modelkb_viewer.exchange.tensorflow_messages import quieten_tensorflow

_UNUSUAL = re.compile(r"[^\w.-]+")


def export(experiment: Experiment, place: str, checkpoint: str | int | None) -> Exported:
    """Write curves and hyperparameters; see :class:`.exporters.Exporter`.

    The folder may be the log folder of many experiments: each has a folder in it, with one for
    each split.
    """
    folder = Path(place) / run_folder(experiment.record)
    taken = Path(place) if Path(place).is_file() else folder
    if taken.exists():
        raise ExportTargetError(taken)
    quieten_tensorflow()
    try:
        import tensorboard  # noqa: F401 - asked before anything is written
    except ImportError as error:
        raise MissingPackageError(
            "tensorboard", "Exporting to TensorBoard", "pip install tensorboard"
        ) from error
    splits: dict[str, list[MetricRecord]] = {}
    for point in curve_points(experiment):
        splits.setdefault(point.split, []).append(point)
    folder.mkdir(parents=True)  # what keeps it from being made is told by other errors later on
    _write_hyperparameters(folder, experiment)
    for split, points in splits.items():
        _write_curves(folder / split, points)
    return Exported(experiment.id, str(folder))


def run_folder(record: ExperimentRecord) -> str:
    """Return the name of an experiment's folder: its name, and enough of its id to be one."""
    short = record.experiment_id.rpartition("-")[2]
    name = _UNUSUAL.sub("-", record.name).strip(".-")[:100]
    return name if name.endswith(short) else f"{name}-{short}".strip("-")


def _write_curves(folder: Path, points: Iterable[MetricRecord]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    try:
        for point in points:
            writer.add_event(
                Event(
                    wall_time=point.wall_time.timestamp(),
                    step=point.epoch,
                    summary=scalar_pb(f"epoch_{point.metric}", point.value),
                )
            )
    finally:
        writer.close()


def _write_hyperparameters(folder: Path, experiment: Experiment) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.api_pb2 import Status as SessionStatus
    from tensorboard.plugins.hparams.summary import session_end_pb
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    record = experiment.record
    started = record.started_at.timestamp()
    values = _values(experiment.hyperparameters())
    writer = EventFileWriter(str(folder))
    try:
        session = hparams_pb(values, trial_id=record.experiment_id, start_time_secs=started)
        writer.add_event(Event(wall_time=started, step=0, summary=session))
        if record.ended_at is not None:
            ended = record.ended_at.timestamp()
            fine = record.status == Status.FINISHED.value
            status = SessionStatus.Value("STATUS_SUCCESS" if fine else "STATUS_FAILURE")
            summary = session_end_pb(status, end_time_secs=ended)
            # It is of TensorFlow's class, where that is installed.
            of_ours = Summary.FromString(summary.SerializeToString())
            writer.add_event(Event(wall_time=ended, step=0, summary=of_ours))
    finally:
        writer.close()


def _values(hyperparameters: Mapping[str, Any]) -> dict[str, bool | float | str]:
    """Return hyperparameters as TensorBoard has them: what is no plain value is JSON text."""
    return {
        name: value if isinstance(value, (bool, int, float, str)) else json.dumps(value)
        for name, value in hyperparameters.items()
    }
