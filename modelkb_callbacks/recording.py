"""The record of one ``fit`` call, while it runs."""

from __future__ import annotations

import getpass
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from modelkb_callbacks import architecture, dataset, environment, hyperparameters, implementation
from modelkb_callbacks.class_names import find_class_names
from modelkb_callbacks.credentials import without_credentials
from modelkb_callbacks.curves import Curves
from modelkb_callbacks.evaluation.evaluator import Evaluator
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.settings import Settings
from modelkb_store._version import __version__
from modelkb_store.ids import new_experiment_id
from modelkb_store.records import DatasetRecord, EvaluationRecord, ExperimentRecord, Status
from modelkb_store.writer import ExperimentWriter


class Recording:
    """Gathers what one training shows and hands it to the store.

    Every step is guarded on its own: what fails is noted in the experiment's ``problems``
    and takes nothing else with it. If even the store cannot be opened, all is passed over.

    Args:
        settings: What the user asked for.
        call: The arguments of ``fit``, as far as they are known.
    """

    def __init__(self, settings: Settings, call: FitCall) -> None:
        self._settings = settings
        self._call = call
        self._guard = Guard(strict=settings.strict)
        self._writer: ExperimentWriter | None = None
        self._clock = time.monotonic()
        self.experiment_id: str | None = None

    def begin(self, model: Any, keras_params: Mapping[str, Any]) -> None:
        """Begin the experiment in the store, with all that is known before the first epoch.

        Args:
            model: The Keras model.
            keras_params: What Keras tells callbacks: ``epochs`` and ``steps``.
        """
        self._model = model
        self._keras_params = keras_params
        self._guard.run("record this run", self._begin, quiet=True)

    def _begin(self) -> None:
        self._framework = current_framework()
        writer = self._open_store()
        self._curves = Curves(writer, self._model, self._keras_params)
        class_names = self._settings.class_names or self._guard.run(
            "find the class names", lambda: find_class_names(self._call)
        )
        self._class_names = class_names
        self._evaluator = Evaluator(
            self._model,
            self._call,
            self._framework,
            limit=self._settings.evaluation_samples,
            class_names=class_names,
        )
        self._writer = writer
        self.experiment_id = writer.experiment.experiment_id
        for what, step in self._first_steps():
            self._guard.run(what, step)
        self._save_experiment()

    def begin_epoch(self, epoch: int) -> None:
        """Note which epoch runs."""
        if self._writer is not None:
            self._guard.run("follow the epochs", lambda: self._curves.begin_epoch(epoch))

    def begin_steps(self) -> None:
        """Note what the callbacks behind ours have set for the epoch."""
        if self._writer is not None:
            self._guard.run("follow the epochs", self._curves.begin_steps)

    def end_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Keep the metrics of a batch; they are written with the epoch, or after a while."""
        if self._writer is not None:
            self._guard.run("record a batch", lambda: self._curves.end_batch(batch, logs))

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Put the epoch's metrics on disk."""
        if self._writer is None:
            return
        self._guard.run("write the metrics", lambda: self._curves.end_epoch(epoch, logs))
        self._guard.run("keep a sample of the data", self._evaluator.end_epoch)
        if self._writer.experiment.architecture_id is None and self._model.built:
            self._guard.run("record the architecture", self._record_model)

    def begin_validation(self) -> None:
        """Watch Keras' validation pass."""
        if self._writer is not None:
            self._guard.run("follow the epochs", self._curves.end_steps)
            self._guard.run("watch the validation", self._evaluator.begin_pass)

    def end_validation(self) -> None:
        """Keep what the validation pass has shown."""
        if self._writer is not None:
            self._guard.run(
                "watch the validation", lambda: self._evaluator.end_pass(self._curves.epoch)
            )

    def end(self, status: Status, outcome: BaseException | None) -> None:
        """Complete the record.

        Args:
            status: How the training ended.
            outcome: The exception that ended it, if one did.
        """
        if self._writer is not None:
            self._guard.run("complete the record", lambda: self._end(status, outcome), quiet=True)

    def _end(self, status: Status, outcome: BaseException | None) -> None:
        ended = datetime.now(timezone.utc)
        duration = time.monotonic() - self._clock
        if outcome is not None:
            self._guard.problems.append(_reason_of(outcome))
        self._guard.run("write the metrics", self._open_writer.flush)
        # The end before the evaluation: it takes a while, and may be interrupted.
        self._save_experiment(
            status=status.value,
            ended_at=ended,
            duration_seconds=duration,
            epochs_completed=self._curves.epochs_completed,
        )
        if self._open_writer.experiment.architecture_id is None:
            self._guard.run("record the architecture", self._record_model)
        if self._settings.save_weights and status is not Status.FAILED:
            self._guard.run("save the weights", self._record_weights)
        self._guard.run("evaluate", lambda: self._record_evaluation(status))
        self._save_experiment()

    def _open_store(self) -> ExperimentWriter:
        started = datetime.now(timezone.utc)
        experiment_id = new_experiment_id(started)
        model_name = getattr(self._model, "name", None) or type(self._model).__name__
        experiment = ExperimentRecord(
            experiment_id=experiment_id,
            name=self._settings.name or f"{model_name}-{experiment_id[-10:]}",
            owner=self._settings.owner or _login_name(),
            status=Status.RUNNING.value,
            started_at=started,
            host=platform.node(),
            process_id=os.getpid(),
            modelkb_version=__version__,
            seed=self._framework.random_seed(),
            epochs_planned=self._keras_params.get("epochs"),
            tags=tuple(self._settings.tags or ()),
            notes=self._settings.notes or "",
        )
        return ExperimentWriter(self._settings.root, self._settings.project, experiment)

    def _first_steps(self) -> list[tuple[str, Callable[[], None]]]:
        steps: list[tuple[str, Callable[[], None]]] = [
            ("record the environment", self._record_environment),
            ("describe the data", self._record_datasets),
            ("record the implementation", self._record_implementation),
            ("record the hyperparameters", self._record_hyperparameters),
            ("prepare the evaluation", self._evaluator.prepare),
        ]
        if self._model.built:
            steps.insert(-1, ("record the architecture", self._record_model))
        return steps

    def _record_environment(self) -> None:
        record = environment.describe_environment(self._framework)
        self._open_writer.add_environment(record)
        self._change(environment_id=record.environment_id)

    def _record_datasets(self) -> None:
        if self._call.training_data()[0] is None:
            return
        training, validation = dataset.describe_fit_data(self._call, self._class_names)
        for record, field in ((training, "dataset_id"), (validation, "validation_dataset_id")):
            if isinstance(record, DatasetRecord):
                self._open_writer.add_dataset(record)
                self._change(**{field: record.dataset_id})

    def _record_implementation(self) -> None:
        record = implementation.describe_implementation(self._model)
        self._open_writer.add_implementation(record)
        self._change(implementation_id=record.implementation_id)

    def _record_hyperparameters(self) -> None:
        experiment_id = self._open_writer.experiment.experiment_id
        self._open_writer.write_hyperparameters(
            hyperparameters.collect(
                experiment_id,
                self._model,
                self._call,
                self._keras_params,
                self._settings.params or {},
            )
        )

    def _record_model(self) -> None:
        writer = self._open_writer
        description = architecture.describe_architecture(self._model)
        path = writer.add_architecture(description.architecture, description.layers)
        model = architecture.describe_model(self._model, description, writer.experiment, path)
        writer.add_model(model)
        self._change(model_id=model.model_id, architecture_id=model.architecture_id)
        if description.problem:
            self._guard.note(description.problem)

    def _record_evaluation(self, status: Status) -> None:
        writer = self._open_writer
        records = self._evaluator.results(
            writer.experiment.experiment_id, may_predict=status is Status.FINISHED
        )
        if records:
            writer.add_evaluations(records)
            self._note_unfit_class_names(records)
        elif self._evaluator.reason and status is Status.FINISHED:
            self._guard.problems.append(f"not evaluated: {self._evaluator.reason}")

    def _note_unfit_class_names(self, records: Sequence[EvaluationRecord]) -> None:
        names = self._settings.class_names
        counts = [len(r.support) for r in records if r.support is not None]
        if names is not None and counts and len(names) not in counts:
            self._guard.note(
                f"left out {len(names)} class names: the model has {counts[0]} classes"
            )

    def _record_weights(self) -> None:
        writer = self._open_writer
        if not self._model.built:
            self._guard.problems.append(
                "the weights were not kept: the model was never called as a whole, so Keras "
                "does not save it"
            )
            return
        writer.add_artifacts(
            [writer.add_weights(lambda path: architecture.save_weights(self._model, path))]
        )

    @property
    def _open_writer(self) -> ExperimentWriter:
        assert self._writer is not None, "guarded steps run only with an open store"
        return self._writer

    def _change(self, **fields: Any) -> None:
        self._open_writer.set(**fields)

    def _save_experiment(self, **fields: Any) -> None:
        self._change(**fields, problems=tuple(self._guard.problems))
        self._guard.run("write the experiment", self._open_writer.save_experiment)


def _reason_of(outcome: BaseException) -> str:
    return without_credentials(f"stopped by {type(outcome).__name__}: {outcome}").rstrip(": ")


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"
