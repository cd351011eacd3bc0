"""Experiments that are recorded by hand, request by request.

They go the way of what other machines record (:mod:`modelkb_store.log.receiving`): a log that may
fall silent for days, outlives the server, and is folded when the end is told.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from modelkb_store import Experiment, Store
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.files import Files
from modelkb_store.ids import canonical_json
from modelkb_store.log.entry import Action, columns_of, encode_entry
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.log.place import read_place
from modelkb_store.log.receiving import end_received, receive, seal_received
from modelkb_store.project_names import project_folder
from modelkb_store.records import (
    ExperimentRecord,
    HyperparameterRecord,
    MetricRecord,
    ProjectRecord,
    Status,
)
from modelkb_viewer.api.problems import RefusedError

_FULL_SEGMENT_BYTES = 1 << 20  # each addition reads the segment that it goes into
_DEEPEST = 50
_LARGEST_NUMBER = 1 << 1000  # what a double can hold
_MOST_BITS = 10_000  # Python refuses to write longer numbers
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
# Of this process: who adds to one experiment waits for others that do.
_LOCKS = tuple(threading.Lock() for _ in range(64))


def begin(
    files: Files, project: str, record: ExperimentRecord, hyperparameters: Mapping[str, Any]
) -> None:
    """Record that an experiment has begun.

    Args:
        files: The store.
        project: Its project, which is made if it is not there.
        record: The experiment, without host and process: that says that it is recorded by hand.
        hyperparameters: By name, as JSON has them.

    Raises:
        InvalidNameError: The project cannot have this name.
    """
    name = LogName(project_folder(project), record.experiment_id)
    owner = ProjectRecord(created_at=record.started_at, owner=record.owner)
    lines = [
        _first_line(record.experiment_id, 0),
        _line(Action.ADD, "projects", [owner]),
        _line(Action.PUT, "experiments", [record]),
        _line(Action.PUT, "hyperparameters", _records(record.experiment_id, hyperparameters)),
    ]
    receive(files, name, 0, 0, b"".join(lines))


def add_points(store: Store, experiment_id: str, points: Sequence[MetricRecord]) -> int:
    """Add values to the curves of an experiment that is recorded by hand.

    Values that are there already are passed over.

    Args:
        store: The store.
        experiment_id: The whole id.
        points: The values.

    Returns:
        How many were new.

    Raises:
        RefusedError: It has ended, or is recorded by its training.
        StoreBusyError: Another server is adding to it at this moment.
    """
    with _alone(store, experiment_id) as experiment:
        known = experiment.table("metrics").select(["split", "metric", "epoch", "step"])
        keys = {tuple(row.values()) for row in known.to_pylist()}
        epochs = {key[2] for key in keys}
        new: dict[tuple[Any, ...], MetricRecord] = {}
        for point in points:
            key = (point.split, point.metric, point.epoch, point.step)
            if key not in keys:
                new.setdefault(key, point)
        if new:
            epochs.update(point.epoch for point in new.values())
            record = dataclasses.replace(experiment.record, epochs_completed=len(epochs))
            added = _line(Action.ADD, "metrics", list(new.values()))
            _append(
                store.files, experiment, record, added + _line(Action.PUT, "experiments", [record])
            )
        return len(new)


def end(store: Store, experiment_id: str, status: Status, ended_at: datetime) -> None:
    """Record that an experiment has ended; nothing can be added any more.

    Args:
        store: The store.
        experiment_id: The whole id.
        status: How it has ended.
        ended_at: When, in UTC.

    Raises:
        RefusedError: It has ended already, or is recorded by its training.
        StoreBusyError: Another server is adding to it at this moment.
    """
    with _alone(store, experiment_id) as experiment:
        record = dataclasses.replace(
            experiment.record,
            status=status.value,
            ended_at=ended_at,
            duration_seconds=max(0.0, (ended_at - experiment.record.started_at).total_seconds()),
        )
        lines = _line(Action.PUT, "experiments", [record]) + encode_entry(Action.END, "", {})
        number, size = _append(store.files, experiment, record, lines)
        # The log says that it is over: whoever opens the store next would fold it.
        with contextlib.suppress(StoreBusyError):
            end_received(store.files, _name(experiment), {number: size})


@contextlib.contextmanager
def _alone(store: Store, experiment_id: str) -> Iterator[Experiment]:
    """Give an experiment as it is now, while no other request changes it."""
    with _LOCKS[zlib.crc32(experiment_id.encode()) % len(_LOCKS)]:
        experiment = store.experiment(experiment_id)
        record = experiment.record
        if record.host or record.process_id:
            detail = f"Experiment {experiment.id} is recorded by its training, not by hand."
            raise RefusedError(HTTPStatus.CONFLICT, detail)
        if record.status != Status.RUNNING.value:
            detail = f"Experiment {experiment.id} has ended: it is {record.status}."
            raise RefusedError(HTTPStatus.CONFLICT, detail)
        yield experiment


def _append(
    files: Files, experiment: Experiment, record: ExperimentRecord, lines: bytes
) -> tuple[int, int]:
    """Append lines to the log; return the segment that they are in, and its bytes."""
    name = _name(experiment)
    number = _last_segment(files, name)
    size = receive(files, name, number, 0, b"")
    if size <= _FULL_SEGMENT_BYTES:
        return number, receive(files, name, number, size, lines)
    # A later segment has the rows that are put.
    hyperparameters = _records(experiment.id, experiment.hyperparameters())
    beginning = _first_line(experiment.id, number + 1)
    beginning += _line(Action.PUT, "experiments", [record])
    beginning += _line(Action.PUT, "hyperparameters", hyperparameters)
    added = receive(files, name, number + 1, 0, beginning + lines)
    seal_received(files, name, number, size)
    return number + 1, added


def _name(experiment: Experiment) -> LogName:
    return LogName(project_folder(experiment.project), experiment.id)


def _last_segment(files: Files, name: LogName) -> int:
    """Return the number of the segment that is added to."""
    found = [parse_segment(info.path) for info in files.list(f"log/{name.project_folder}")]
    numbers = [each[1] for each in found if each is not None and each[0] == name]
    place = read_place(files, name)
    return max([*numbers, *(place.ends if place is not None else ())], default=0)


def _first_line(experiment_id: str, number: int) -> bytes:
    facts = {"experiment_id": experiment_id, "segment": number, "begun": time.time()}
    return encode_entry(Action.BEGIN, "", {**facts, "is_sent": True})


def _line(action: Action, table: str, records: Sequence[Any]) -> bytes:
    return encode_entry(action, table, columns_of(table, records))


def _records(experiment_id: str, values: Mapping[str, Any]) -> list[HyperparameterRecord]:
    records = []
    for name, value in values.items():
        plain = _storable(value)
        number = float(plain) if isinstance(plain, (bool, int, float)) else None
        records.append(
            HyperparameterRecord(experiment_id, name, canonical_json(plain), number, "user")
        )
    return records


def _storable(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON has it: numbers that it does not have are texts.

    Raises:
        RefusedError: Values are nested too deeply.
    """
    if depth > _DEEPEST:
        detail = f"No hyperparameter can be nested more than {_DEEPEST} deep."
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    if isinstance(value, dict):
        return {name: _storable(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        return str(value) if value.bit_length() < _MOST_BITS else repr(math.inf)
    return value


def in_utc(moment: datetime | None) -> datetime:
    """Return a moment in UTC, as tables have it; now by default.

    Raises:
        RefusedError: It has no time zone, or is not of our time.
    """
    if moment is None:
        return datetime.now(timezone.utc)
    if moment.tzinfo is None:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{moment} has no time zone.")
    if not _FIRST_YEAR < moment.year < _LAST_YEAR:
        detail = f"{moment} is not between {_FIRST_YEAR} and {_LAST_YEAR}."
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return moment.astimezone(timezone.utc)
