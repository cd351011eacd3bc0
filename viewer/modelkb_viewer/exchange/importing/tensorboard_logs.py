"""Log folders of TensorBoard, read by TensorBoard's own reader."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from modelkb_store.errors import MissingPackageError
from modelkb_store.records import Status
from modelkb_viewer.exchange.errors import DamagedSourceError, NothingToImportError
from modelkb_viewer.exchange.importing.curve_names import epochs_of, split_and_metric
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, Point, RunReader
from modelkb_viewer.exchange.importing.parameter_values import value_of
from modelkb_viewer.exchange.tensorflow_messages import quieten_tensorflow

_EVENT_FILES = "*tfevents*"
_SPLITS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "eval": "validation",
    "test": "test",
}
_OF_EPOCH = "epoch_"
# What Keras writes a second time, by steps.
_AGAIN = ("evaluation_", "_vs_iterations")
_STATUS = {1: Status.FINISHED, 2: Status.FAILED, 3: Status.INTERRUPTED}
_FRAME_BYTES = 16  # the length of a record, and a checksum before and behind it


def find_runs(path: Path, project: str | None) -> Sequence[RunReader]:
    """Find the runs below a log folder, or take one event file.

    See :class:`.importers.Importer`. A run is a folder with event files; folders ``train`` and
    ``validation`` in it are its splits.
    """
    root = path if path.is_dir() else path.parent
    files = sorted(path.rglob(_EVENT_FILES)) if path.is_dir() else [path] if path.is_file() else []
    runs: dict[Path, list[tuple[Path, str]]] = {}
    for file in files:
        folder = file.parent
        is_split = folder.name in _SPLITS and folder != root
        run = folder.parent if is_split else folder
        runs.setdefault(run, []).append((file, _SPLITS[folder.name] if is_split else "train"))
    if not runs:
        expected = f"event files ({_EVENT_FILES}) in it or in folders below it"
        raise NothingToImportError("TensorBoard", path, expected)
    quieten_tensorflow()
    try:
        import tensorboard  # noqa: F401 - asked before anything is read
    except ImportError as error:
        raise MissingPackageError(
            "tensorboard", "Reading event files", "pip install tensorboard"
        ) from error
    group = project or root.resolve().name
    return [
        functools.partial(_read, folder, _name(folder, root), group, files)
        for folder, files in runs.items()
    ]


def _name(folder: Path, root: Path) -> str:
    return root.resolve().name if folder == root else folder.relative_to(root).as_posix()


@dataclass(slots=True)
class _Found:
    """What the event files of a run have."""

    curves: dict[tuple[str, str], list[tuple[int, float, float]]] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None
    status: Status = Status.FINISHED
    group: str | None = None


def _read(folder: Path, name: str, project: str, files: list[tuple[Path, str]]) -> ImportedRun:
    found = _Found()
    for file, split in files:
        for event in _events(file):
            if event.wall_time:
                found.times.append(event.wall_time)
            for value in event.summary.value:
                _take(found, split, event, value)
    if not found.times:
        raise DamagedSourceError(files[0][0], "it has no events")
    started = found.started or min(found.times)
    curves = [(key, sorted(rows, key=lambda row: row[:2])) for key, rows in found.curves.items()]
    last = max((row[1] for _, rows in curves for row in rows), default=max(found.times))
    return ImportedRun(
        origin=f"{name} {started}",
        project=project,
        name=name,
        source=f"TensorBoard: the log folder {folder.name}",
        started_at=_moment(started),
        ended_at=_moment(max(found.ended or last, started)),
        status=found.status,
        parameters=found.parameters,
        # Ours have their id for a group; that of others is no id of an experiment.
        exported_from=found.group,
        points=[point for key, rows in curves for point in _points(*key, rows)],
    )


def _take(found: _Found, split: str, event: Any, value: Any) -> None:
    from tensorboard.plugins.hparams import metadata as hparams
    from tensorboard.util import tensor_util

    plugin = value.metadata.plugin_data
    if plugin.plugin_name == "scalars":
        number = float(tensor_util.make_ndarray(value.tensor).item())
        row = (event.step, event.wall_time, number)
        found.curves.setdefault((split, value.tag), []).append(row)
    elif value.tag == hparams.SESSION_START_INFO_TAG:
        start = hparams.parse_session_start_info_plugin_data(plugin.content)
        found.group = start.group_name
        found.started = start.start_time_secs or None
        found.parameters = {key: _parameter(each) for key, each in start.hparams.items()}
    elif value.tag == hparams.SESSION_END_INFO_TAG:
        end = hparams.parse_session_end_info_plugin_data(plugin.content)
        found.ended = end.end_time_secs or None
        found.status = _STATUS.get(end.status, Status.FINISHED)


def _events(path: Path) -> Iterator[Any]:
    """Yield the events of a file.

    The last record may be cut off, as it is while a training writes it or when that was killed.

    Raises:
        DamagedSourceError: A record before it is not what was written.
    """
    from google.protobuf.message import DecodeError
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.data_compat import migrate_event
    from tensorboard.dataclass_compat import migrate_event as migrate_to_dataclass

    read, seen = 0, dict[str, Any]()
    for record in RawEventFileLoader(str(path)).Load():
        read += len(record) + _FRAME_BYTES
        try:
            event = migrate_event(Event.FromString(record))
        except DecodeError as error:
            raise DamagedSourceError(path, error) from error
        yield from migrate_to_dataclass(event, seen)
    # The reader ends where it cannot go on, and does not say why.
    with path.open("rb") as file:
        file.seek(read)
        rest = file.read(8)
    size = path.stat().st_size
    if len(rest) == 8 and read + struct.unpack("<Q", rest)[0] + _FRAME_BYTES <= size:
        raise DamagedSourceError(path, f"the record at byte {read:,} of {size:,}")
    if read == 0 and size:
        raise DamagedSourceError(path, "it begins with no event")


def _parameter(value: Any) -> Any:
    """Return a hyperparameter; TensorBoard has all numbers as floating point ones."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number = float(value.number_value)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "string_value":
        text = value.string_value
        # Lists and objects went out as JSON.
        return value_of(text) if text == "null" or text[:1] in ("[", "{") else text
    return None if kind is None else value.bool_value


def _points(split: str, tag: str, rows: list[tuple[int, float, float]]) -> Iterator[Point]:
    before, behind = _AGAIN
    if tag.startswith(before) and tag.endswith(behind):
        return
    metric = tag.removeprefix(_OF_EPOCH)
    if split == "train":
        split, metric = split_and_metric(metric)
    epochs = epochs_of(step for step, _, _ in rows)
    for epoch, (step, wall_time, value) in zip(epochs, rows, strict=True):
        yield Point(epoch, step, split, metric, value, _moment(wall_time))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
