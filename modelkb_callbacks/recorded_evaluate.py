"""One call of ``evaluate`` on a model that an experiment has trained: its test split."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras

from modelkb_callbacks import active_recordings
from modelkb_callbacks.curves import metric_rows, steps_taken
from modelkb_callbacks.datasets.dataset_watch import DatasetWatch
from modelkb_callbacks.evaluation.evaluator import Evaluator
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.recording import Recording
from modelkb_store.writer import ExperimentWriter

_SPLIT = "test"


class RecordedEvaluate(contextlib.ExitStack):
    """While ``evaluate`` runs: what it shows is added to the experiment at its end.

    Attributes:
        args: The positional arguments to call ``evaluate`` with, the model first.
        kwargs: The named ones.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @classmethod
    def prepare(
        cls, evaluate: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> RecordedEvaluate | None:
        """Follow the call, if it is of a model that was trained in a recorded run."""
        recording = active_recordings.last_of_model(model)
        if recording is None or recording.writer is None or recording.fit_runs:
            return None  # within `fit` it is the validation pass
        if recording.is_of_other_process:
            return None
        try:
            call = FitCall.bind(evaluate, model, *args, **kwargs)
        except Exception:  # noqa: BLE001 - a call that is odd or wrong: Keras itself will say so
            return None
        if isinstance(call.arguments.get("callbacks"), keras.callbacks.CallbackList):
            return None  # the validation pass of a `fit` that is not recorded
        recorded = cls()
        done = recording.guard.run("follow `evaluate`", lambda: recorded._follow(recording, call))
        return recorded if done else None

    def _follow(self, recording: Recording, call: FitCall) -> bool:
        watch = _Watch(recording, call.arguments["self"], call)
        self.args, self.kwargs = call.with_callback(watch)
        self.push(watch.end)
        return True


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Sees the pass and its metrics."""

    def __init__(self, recording: Recording, model: Any, call: FitCall) -> None:
        super().__init__()
        self._recording = recording
        self._guard = recording.guard
        self._logs: Mapping[str, Any] = {}
        # To those who watch, it is the validation pass of a `fit`.
        as_validation = {
            "validation_data": call.training_data(),
            "validation_steps": call.arguments.get("steps"),
            "batch_size": call.arguments.get("batch_size"),
        }
        validation = FitCall(as_validation, call.untraced)
        framework, names = current_framework(), recording.class_names
        self._data = DatasetWatch(model, validation, framework, names, source=None)
        self._evaluator = Evaluator(
            model,
            validation,
            framework,
            limit=recording.settings.evaluation_samples,
            class_names=names,
        )
        self._data.begin()
        self._evaluator.prepare()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._guard.run("follow `evaluate`", self._evaluator.begin_pass)
        self._guard.run("follow `evaluate`", self._data.begin_validation)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._logs = dict(logs or {})
        epoch = self._recording.epoch or 0
        self._guard.run("follow `evaluate`", lambda: self._evaluator.end_pass(epoch))
        self._guard.run("follow `evaluate`", self._data.end_validation)

    def end(self, kind: object, outcome: BaseException | None, traceback: object) -> None:
        """Write what was seen, if the pass came to its end."""
        self._guard.run("follow `evaluate`", self._data.finish)
        writer = self._recording.writer
        if outcome is None and writer is not None:
            self._guard.run("record `evaluate`", lambda: self._record(writer), quiet=True)

    def _record(self, writer: ExperimentWriter) -> None:
        experiment_id = writer.experiment.experiment_id
        data = self._data.validation
        if data is not None:
            writer.add_dataset(data)
        rows = metric_rows(
            experiment_id,
            self._logs,
            epoch=self._recording.epoch or 0,
            step=steps_taken(self.model),
            seconds=time.time(),
            split=_SPLIT,
        )
        writer.append_metrics(rows)
        records = self._evaluator.results(experiment_id, may_predict=True)
        writer.add_evaluations(
            [
                dataclasses.replace(
                    record,
                    split=_SPLIT,
                    source="evaluate" if record.source == "validation_pass" else record.source,
                    dataset_id=None if data is None else data.dataset_id,
                )
                for record in records
            ]
        )
