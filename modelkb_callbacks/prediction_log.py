"""The predictions that a process makes with recorded models."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from modelkb_callbacks import automatic, lineage
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.settings import Settings
from modelkb_store.log.log_home import LogHome
from modelkb_store.prediction_writer import PredictionWriter
from modelkb_store.trained_weights import find_trained
from modelkb_store.transfer.homes import open_home

if TYPE_CHECKING:
    from modelkb_callbacks.recording import Recording

_logs: weakref.WeakKeyDictionary[Any, PredictionLog] = weakref.WeakKeyDictionary()


class PredictionLog(PredictionWriter):
    """The predictions of one model in this process.

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
        super().__init__(home, project, experiment_id)
        self.guard = guard
        self.model_id = model_id


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
