"""Predictions of a process, gathered and written every few seconds and at its end."""

from __future__ import annotations

import atexit
import multiprocessing.util
import os
import threading
import time
import uuid
import weakref
from typing import TYPE_CHECKING, Any

from modelkb_callbacks import automatic, lineage
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.settings import Settings
from modelkb_store.growing_table import GrowingTable
from modelkb_store.layout import Layout
from modelkb_store.records import PredictionRecord
from modelkb_store.trained_weights import read_trained_note

if TYPE_CHECKING:
    from modelkb_callbacks.recording import Recording

_WRITE_AFTER_SECONDS = 5.0
_unwritten: set[PredictionLog] = set()
_logs: weakref.WeakKeyDictionary[Any, PredictionLog] = weakref.WeakKeyDictionary()


class PredictionLog:
    """The predictions of one model in this process.

    Args:
        layout: The store.
        project: The project to write to.
        guard: Runs each step.
        experiment_id: The experiment that trained the model, if it is known.
        model_id: The model as that experiment recorded it.
    """

    def __init__(
        self,
        layout: Layout,
        project: str,
        guard: Guard,
        experiment_id: str | None,
        model_id: str | None,
    ) -> None:
        self.guard = guard
        self.experiment_id = experiment_id
        self.model_id = model_id
        self._layout = layout
        self._project = project
        self._lock = threading.Lock()
        self._written_at = 0.0
        self._process_id: int | None = None
        self._table: GrowingTable | None = None

    def add(self, record: PredictionRecord) -> None:
        """Keep a row, and write all that are kept if the last time is a while ago."""
        with self._lock:
            self._own_table().append([record])
            _unwritten.add(self)
        if time.monotonic() - self._written_at > _WRITE_AFTER_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write all rows that are kept."""
        self._written_at = time.monotonic()
        with self._lock:
            _unwritten.discard(self)
            self.guard.run("write the predictions", self._own_table().flush)

    def _own_table(self) -> GrowingTable:
        """Return this process' part of the table: a fork begins one of its own."""
        if self._table is None or self._process_id != os.getpid():
            if self._process_id is not None:
                self._begin_in_fork()
            self._process_id = os.getpid()
            stem = f"{self.experiment_id or 'unknown'}-{uuid.uuid4().hex[:10]}"
            self._table = GrowingTable(self._layout, "predictions", self._project, stem)
        return self._table

    def _begin_in_fork(self) -> None:
        """Have the rows written when this process ends, too."""
        self._written_at = 0.0
        # multiprocessing ends its processes without Python's own `atexit`.
        multiprocessing.util.Finalize(None, self.flush, exitpriority=0)


def log_of(model: Any, recording: Recording | None) -> PredictionLog | None:
    """Return the log for a model's predictions.

    Args:
        model: The model.
        recording: The recording it was trained in by this process. Without one, the
            experiment is known by the model's weights, if the store has it.
    """
    known = _logs.get(model)
    of_recording = None if recording is None else recording.experiment_id
    if known is not None and (recording is None or known.experiment_id == of_recording):
        return known
    log = _log_of_recording(recording) if recording is not None else _log_of_store(model)
    if log is not None:
        _logs[model] = log
    return log


def _log_of_recording(recording: Recording) -> PredictionLog | None:
    writer = recording.writer
    if writer is None:
        return None
    experiment = writer.experiment
    return PredictionLog(
        writer.layout,
        writer.project,
        recording.guard,
        experiment.experiment_id,
        experiment.model_id,
    )


def _log_of_store(model: Any) -> PredictionLog | None:
    guard = Guard()
    return guard.run("record a prediction", lambda: _open_log(model, guard))


def _open_log(model: Any, guard: Guard) -> PredictionLog:
    settings = automatic.settings_for(model) or Settings()
    layout = Layout.create(settings.root)
    weights = lineage.weights_id(model)
    note = None if weights is None else read_trained_note(layout, weights)
    project = settings.project if note is None else note.project
    return PredictionLog(layout, project, guard, note.experiment_id if note else None, None)


@atexit.register
def _flush_all() -> None:
    for log in list(_unwritten):
        log.flush()
