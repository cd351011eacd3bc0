"""The predictions that a process makes with recorded models."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from modelkb_callbacks import automatic, lineage
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.settings import Settings
from modelkb_store.log.experiment_log import ExperimentLog
from modelkb_store.log.log_home import LogHome
from modelkb_store.log.log_name import LogName
from modelkb_store.project_names import project_folder
from modelkb_store.records import PredictionRecord
from modelkb_store.trained_weights import find_trained
from modelkb_store.transfer.homes import open_home

if TYPE_CHECKING:
    from modelkb_callbacks.recording import Recording

_CLOSES_AFTER_SECONDS = 5.0
_logs: weakref.WeakKeyDictionary[Any, PredictionLog] = weakref.WeakKeyDictionary()


class PredictionLog:
    """The predictions of one model in this process.

    Rows can be read at once, and are in Parquet files some seconds after the last of them.

    Args:
        home: The store.
        project: The project to write to.
        guard: Runs each step.
        experiment_id: The experiment that trained the model, if it is known.
        model_id: The model as that experiment recorded it.
    """

    def __init__(
        self,
        home: LogHome,
        project: str,
        guard: Guard,
        experiment_id: str | None,
        model_id: str | None,
    ) -> None:
        self.guard = guard
        self.experiment_id = experiment_id
        self.model_id = model_id
        self._home = home
        self._folder = project_folder(project)
        self._lock = threading.Lock()
        self._process_id: int | None = None
        self._log: ExperimentLog | None = None

    def add(self, record: PredictionRecord) -> None:
        """Write a row."""
        with self._lock:
            log = self._log
            # A fork begins a log of its own, and so does what comes after a pause.
            if log is None or self._process_id != os.getpid() or not self._append(log, record):
                self._log = log = self._open()
                self._append(log, record)

    def _append(self, log: ExperimentLog, record: PredictionRecord) -> bool:
        return log.add("predictions", [record])

    def _open(self) -> ExperimentLog:
        self._process_id = os.getpid()
        name = LogName.further(self._folder, self.experiment_id or "unknown")
        return ExperimentLog(
            self._home, name, self.experiment_id, closes_when_idle=_CLOSES_AFTER_SECONDS
        )


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
        writer.home,
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
    home = open_home(settings.store_location)
    weights = lineage.weights_id(model)
    found = None if weights is None else find_trained(home.files, weights)
    project, experiment_id = found or (settings.project, None)
    return PredictionLog(home, project, guard, experiment_id, None)
