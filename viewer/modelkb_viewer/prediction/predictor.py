"""Predictions of recorded models, made by processes of their own."""

from __future__ import annotations

import atexit
import dataclasses
import importlib.util
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelkb_store import Experiment
from modelkb_store.errors import ArtifactNotFoundError
from modelkb_viewer.prediction.errors import (
    BackendMissingError,
    PredictionError,
    RecordedCodeError,
)
from modelkb_viewer.prediction.loaded_models import ModelKey
from modelkb_viewer.prediction.messages import Message
from modelkb_viewer.prediction.worker import NEEDS_CODE
from modelkb_viewer.prediction.worker_process import WorkerProcess

_BACKENDS = ("tensorflow", "torch", "jax")
_LIMIT_SECONDS = 120.0
_IDLE_SECONDS = 300.0
_MOST_BYTES = 6 << 30


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model said.

    Attributes:
        outputs: One array for each of its outputs, samples first.
        names: The names of the outputs.
        seconds: How long the prediction took, without loading the model.
        load_seconds: How long the model took to load; about 0 if it was.
        backend: The backend that computed it.
    """

    outputs: tuple[np.ndarray[Any, Any], ...]
    names: tuple[str, ...]
    seconds: float
    load_seconds: float
    backend: str


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model as it can be loaded now.

    Attributes:
        experiment_id: The experiment.
        backend: What it is computed by.
        revision: Another one as soon as there is another checkpoint.
    """

    experiment_id: str
    backend: str
    revision: str


class Predictor:
    """Predicts with the models of one store; threads may share it.

    One process for each backend is started when it is first needed, keeps the models that were
    used last, and is ended when nobody needs it for some minutes, or with this process.

    Args:
        location: The store, as for :class:`modelkb_store.Store`.
        runs_code: Whether code that was recorded from users' scripts may be run.
        limit_seconds: How long one prediction may take, with loading the model.
        idle_seconds: After how long without a request a process is ended.
        most_bytes: Above how much memory a process is ended after an answer.
        environment: Environment variables for the processes, such as ``CUDA_VISIBLE_DEVICES``:
            by default they leave GPUs to those who train.

    Example:
        >>> predictor = Predictor("modelkb")
        >>> predicted = predictor.predict(Store("modelkb").experiment("9f1c2b7a4d"), "best", [x])
        >>> predicted.outputs[0].argmax(axis=-1)
    """

    def __init__(
        self,
        location: str,
        *,
        runs_code: bool = False,
        limit_seconds: float = _LIMIT_SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
        most_bytes: int = _MOST_BYTES,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._location = location
        self._runs_code = runs_code
        self._limit_seconds = limit_seconds
        self._idle_seconds = idle_seconds
        self._most_bytes = most_bytes
        self._environment = environment
        self._lock = threading.Lock()
        self._workers: dict[str, WorkerProcess] = {}
        atexit.register(self.close)

    def predict(
        self,
        experiment: Experiment,
        checkpoint: str | int | None,
        inputs: Sequence[np.ndarray[Any, Any]],
        names: Sequence[str] | None = None,
    ) -> Predicted:
        """Return what a model says to samples.

        Args:
            experiment: The experiment.
            checkpoint: As for :meth:`Experiment.load_model`.
            inputs: One array for each input, samples first; of numbers or texts.
            names: The inputs' names, where the model takes them by name.

        Raises:
            RecordedCodeError: The model needs recorded code, which may not be run.
            PredictionError: It could not be loaded or could not predict; says why.
            ArtifactNotFoundError: There is no such checkpoint.
        """
        state = ModelState(experiment.id, backend_of(experiment), revision_of(experiment))
        return self.predict_state(state, checkpoint, inputs, names)

    def predict_state(
        self,
        state: ModelState,
        checkpoint: str | int | None,
        inputs: Sequence[np.ndarray[Any, Any]],
        names: Sequence[str] | None = None,
    ) -> Predicted:
        """Return the same, of a model that was looked up before; see :meth:`predict`."""
        key = ModelKey(
            self._location, state.experiment_id, checkpoint, state.revision, self._runs_code
        )
        content = {
            "key": dataclasses.asdict(key),
            "names": None if names is None else list(names),
        }
        answer = self._worker(state.backend).ask(Message(content, inputs), self._limit_seconds)
        if "error" in answer.content:
            text = str(answer.content["text"])
            if answer.content["error"] == NEEDS_CODE:
                raise RecordedCodeError(state.experiment_id, text)
            raise PredictionError(text)
        return Predicted(
            outputs=tuple(answer.arrays),
            names=tuple(map(str, answer.content["names"])),
            seconds=float(answer.content["seconds"]),
            load_seconds=float(answer.content["load_seconds"]),
            backend=state.backend,
        )

    def process_ids(self) -> dict[str, int]:
        """Return the numbers of the processes that run, by backend."""
        found = {name: worker.process_id for name, worker in self._workers.items()}
        return {name: number for name, number in found.items() if number is not None}

    def close(self) -> None:
        """End all processes; a later prediction starts them again."""
        for worker in list(self._workers.values()):
            worker.close()

    def _worker(self, backend: str) -> WorkerProcess:
        with self._lock:
            if backend not in self._workers:
                self._workers[backend] = WorkerProcess(
                    backend,
                    self._environment,
                    idle_seconds=self._idle_seconds,
                    most_bytes=self._most_bytes,
                )
            return self._workers[backend]


def installed_backend(recorded: str) -> str:
    """Return the backend to predict with: the recorded one, else another that is installed.

    Raises:
        BackendMissingError: None is.
    """
    for backend in (recorded, *_BACKENDS):
        if backend in _BACKENDS and importlib.util.find_spec(backend) is not None:
            return backend
    raise BackendMissingError(recorded)


def backend_of(experiment: Experiment) -> str:
    """Return the backend to predict with for an experiment; see :func:`installed_backend`."""
    return installed_backend(str(experiment.environment().get("backend") or "tensorflow"))


def revision_of(experiment: Experiment) -> str:
    """Return what is another as soon as an experiment has another checkpoint.

    Raises:
        ArtifactNotFoundError: It has none.
    """
    checkpoints = experiment.checkpoints()
    if checkpoints.empty and not len(experiment.artifacts()):
        reason = (
            "the run is still running, and made no checkpoint yet"
            if experiment.record.status == "running"
            else "recorded with save_weights=False, or the run failed before its end"
        )
        raise ArtifactNotFoundError(experiment.id, "weights", reason)
    return "" if checkpoints.empty else str(checkpoints["created_at"].max())
