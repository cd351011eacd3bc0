"""The record of one experiment, while it runs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from modelkb_callbacks import (
    active_recordings,
    architecture,
    environment,
    hyperparameters,
    implementation,
    lineage,
)
from modelkb_callbacks.checkpointing import Checkpointing
from modelkb_callbacks.credentials import without_credentials
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.fit_recording import FitRecording
from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.guard import Guard, warn
from modelkb_callbacks.initial_state import InitialState
from modelkb_callbacks.new_experiment import new_experiment
from modelkb_callbacks.outcome import is_reason, reason_of
from modelkb_callbacks.process.process_watch import ProcessWatch
from modelkb_callbacks.resuming import find_resumed
from modelkb_callbacks.settings import Settings
from modelkb_callbacks.user_source import UserSource
from modelkb_store.records import HyperparameterRecord, Status
from modelkb_store.writer import ExperimentWriter


class Recording:
    """Gathers what one experiment shows and hands it to the store.

    An experiment is one ``fit``, or a block of the user's (:func:`experiment`) with any
    number of them. Every step is guarded on its own: what fails is noted in the experiment's
    ``problems`` and takes nothing else with it. If even the store cannot be opened, all is
    passed over.

    Args:
        settings: What the user asked for.
        is_block: Whether it is a block of the user's.

    Attributes:
        settings: As above.
        guard: Runs each step.
        writer: The experiment in the store; None if that could not be opened.
        fit: What the ``fit`` shows that runs, or ran last, in this experiment.
        fit_runs: Whether one runs now.
        epochs_logged: How many epochs the user has logged by hand.
        lineage: What becomes of the model's weights.
        class_names: Names of the classes, if known.
        lock: Held while the user adds something, from whatever thread.
    """

    def __init__(self, settings: Settings, *, is_block: bool = False) -> None:
        self.settings = settings
        self.guard = Guard(strict=settings.strict)
        self.writer: ExperimentWriter | None = None
        self.fit: FitRecording | None = None
        self.fit_runs = False
        self.epochs_logged = 0
        self.lineage = lineage.Lineage()
        self.class_names: Sequence[str] | None = settings.class_names
        self.lock = threading.RLock()
        self._process_id = os.getpid()
        self._last_epoch: int | None = None
        self._epochs_of_ended_fits = 0
        self._is_block = is_block
        self._is_over = False
        self._model: Any = None
        self._clock = time.monotonic()
        self._hyperparameters: dict[str, HyperparameterRecord] = {}
        self._source = UserSource()
        self._environment: Mapping[str, str] = {}
        self._process: ProcessWatch | None = None
        self._resumes = False

    @property
    def experiment_id(self) -> str | None:
        """The experiment's id; None if the store could not be opened."""
        return None if self.writer is None else self.writer.experiment.experiment_id

    @property
    def model(self) -> Any:
        """The model that is trained; None before there is one, and when all is over."""
        return self._model

    @property
    def is_over(self) -> bool:
        """Whether the record is complete."""
        return self._is_over

    @property
    def is_of_other_process(self) -> bool:
        """Whether this is a copy in a forked child, where it leaves the parent's files alone."""
        return os.getpid() != self._process_id

    @property
    def epoch(self) -> int | None:
        """The epoch that runs, or ended last, from 0; None before the first one."""
        if self.fit is not None:
            return self.fit.epoch
        return self._last_epoch if self.epochs_logged == 0 else self.epochs_logged - 1

    def begin(self, model: Any) -> None:
        """Begin the experiment in the store.

        Args:
            model: The Keras model; None where there is none yet.
        """
        self._model = model
        self.guard.run("record this run", self._begin, quiet=True)

    def _begin(self) -> None:
        self._framework = current_framework()
        self.writer = self._open_store()
        self._checkpointing = Checkpointing(self.writer, self.guard, self.settings)
        self._start = InitialState(
            self.writer,
            self.guard,
            self._framework,
            self._checkpointing,
            self.lineage,
            resumes=self._resumes,
        )
        self._run_steps(
            ("record the environment", self._record_environment),
            ("watch the process", self._watch_process),
        )
        active_recordings.add(self)
        self._adopt(self._model)
        if self._is_block:
            self._run_steps(
                ("find the source", self._find_source),
                ("record the start", lambda: self._start.begin_block(self._model)),
                ("record the implementation", self._record_implementation),
                ("record the hyperparameters", self._record_hyperparameters),
                ("record the architecture", self._record_model),
            )
        self.save_experiment()

    def begin_fit(self, model: Any, call: FitCall, keras_params: Mapping[str, Any]) -> None:
        """Follow a ``fit``, with all that is known before its first epoch.

        Args:
            model: The model that is trained.
            call: The arguments of ``fit``, as far as they are known.
            keras_params: What Keras tells callbacks: ``epochs`` and ``steps``.
        """
        if self.writer is not None and not self.is_of_other_process:
            self.guard.run(
                "record this run", lambda: self._begin_fit(model, call, keras_params), quiet=True
            )

    def _begin_fit(self, model: Any, call: FitCall, keras_params: Mapping[str, Any]) -> None:
        self._adopt(model)
        self._run_steps(
            ("find the source", self._find_source),
            ("record the start", lambda: self._start.begin_fit(model, call)),
        )
        self.fit = fit = FitRecording(
            self._open_writer,
            self.guard,
            settings=self.settings,
            framework=self._framework,
            model=model,
            checkpointing=self._checkpointing,
            call=call,
            keras_params=keras_params,
            data_source=self._source.datasets,
            resumes=self._resumes and self.fit is None,
        )
        self.fit_runs = True
        self.class_names = fit.class_names
        fit.begin()
        self._run_steps(
            ("record the implementation", self._record_implementation),
            ("record the hyperparameters", self._record_hyperparameters),
            ("record the architecture", self._record_model),
        )
        fit.prepare_evaluation()
        self.save_experiment(epochs_planned=keras_params.get("epochs"))

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Put the epoch's metrics on disk."""
        if self.fit is None or self.is_of_other_process:
            return
        self.fit.end_epoch(epoch, logs)
        if self._open_writer.experiment.model_id is None:
            self.guard.run("record the architecture", self._record_model)
            self.save_experiment()
        self._warn_of_delay(is_over=False)

    def end_fit(self, status: Status) -> None:
        """Take leave of a ``fit`` that ended inside a block."""
        if self.fit is not None and self.fit_runs and not self.is_of_other_process:
            self.fit_runs = False
            self._epochs_of_ended_fits += self.fit.epochs_completed
            self.fit.finish()
            self.fit.evaluate(finished=status is Status.FINISHED)

    def end(self, status: Status, outcome: BaseException | None) -> None:
        """Complete the record.

        Args:
            status: How the training ended.
            outcome: The exception that ended it, if one did.
        """
        if self._is_over or self.is_of_other_process:
            return
        self._is_over = True
        try:
            active_recordings.remove(self)
            if self.writer is not None:
                self.guard.run(
                    "complete the record", lambda: self._end(status, outcome), quiet=True
                )
        except BaseException:  # a second Ctrl-C: the row must not stay `running`
            with contextlib.suppress(Exception):
                self._save_interrupted_end(status)
            raise
        finally:
            # The model may outlive the training by long; its data need not.
            self._last_epoch = self.epoch
            self._model = self.fit = None
        self._warn_of_delay(is_over=True)

    def _end(self, status: Status, outcome: BaseException | None) -> None:
        self._set_end(status)
        if outcome is not None:
            self.guard.problems.append(reason_of(outcome))
        self.guard.run("watch the process", self._leave_process)
        # The end before the evaluation: it takes a while, and may be interrupted.
        self.save_experiment()
        if self.fit is not None:
            self.fit.finish()
        if self._open_writer.experiment.model_id is None:
            self.guard.run("record the architecture", self._record_model)
        if self._model is not None:
            is_kept = status is not Status.FAILED
            # Before they are saved, which takes a while, too.
            self.guard.run("note the weights", lambda: self._note_trained(is_kept))
            if is_kept and self.settings.save_weights:
                self._checkpointing.end(self._model)
        self.end_fit(status)
        self.save_experiment()
        self.guard.run("fold the log", self._open_writer.close)

    def _warn_of_delay(self, *, is_over: bool) -> None:
        """Warn, once, if what is recorded does not arrive; that is no problem of the run."""
        if self.writer is not None and (said := self.writer.home.complaint(is_over=is_over)):
            warn(f"ModelKB {without_credentials(said)}")

    def _set_end(self, status: Status) -> None:
        epochs_running = self.fit.epochs_completed if self.fit and self.fit_runs else 0
        self._change(
            status=status.value,
            ended_at=datetime.now(timezone.utc),
            duration_seconds=time.monotonic() - self._clock,
            # By hand and by `fit`, the same epochs may have been counted twice.
            epochs_completed=max(self.epochs_logged, self._epochs_of_ended_fits + epochs_running),
        )

    def _save_interrupted_end(self, status: Status) -> None:
        if self.writer is not None:
            if self.writer.experiment.ended_at is None:
                self._set_end(status)
            self.save_experiment()
            self.writer.close()

    def takes_in(self, model: Any) -> bool:
        """Return whether a ``fit`` of this model belongs to this experiment."""
        mine = self._model is None or self._model is model
        return self._is_block and not self.fit_runs and mine and not self.is_of_other_process

    def add_hyperparameters(self, records: Iterable[HyperparameterRecord]) -> None:
        """Put further hyperparameters on disk; the user's own win over others."""
        every = dict(self._hyperparameters)
        for record in records:
            known = every.get(record.name)
            if known is None or known.source != "user" or record.source == "user":
                every[record.name] = record
        self._open_writer.write_hyperparameters(list(every.values()))
        self._hyperparameters = every

    def _open_store(self) -> ExperimentWriter:
        place, project = self.settings.store_location, self.settings.project
        resumed = self.guard.run(
            "find the experiment to go on with", lambda: find_resumed(self.settings, self._model)
        )
        if resumed is None:
            experiment = new_experiment(self.settings, self._model, self._framework.random_seed())
            return ExperimentWriter(place, project, experiment)
        self._resumes = True
        self._clock -= resumed.experiment.duration_seconds or 0.0
        # It goes on, so how it was stopped is no problem any more; what was missed then is.
        self.guard.problems += [p for p in resumed.experiment.problems if not is_reason(p)]
        return ExperimentWriter(place, resumed.project, resumed.experiment, resumes=True)

    def _run_steps(self, *steps: tuple[str, Callable[[], None]]) -> None:
        for what, step in steps:
            self.guard.run(what, step)

    def _adopt(self, model: Any) -> None:
        """Take a model for this experiment's own."""
        if model is None or active_recordings.last_of_model(model) is self:
            return
        self._model = model
        self._run_steps(
            ("find the parent experiment", self._record_parent),
            ("follow the model", lambda: active_recordings.remember(model, self)),
        )

    def _find_source(self) -> None:
        self._source = UserSource.of_caller()
        self._source.warn(self.settings.silence)

    def _watch_process(self) -> None:
        self._process = ProcessWatch(self._open_writer, console=self.settings.console)
        self._process.start()

    def _leave_process(self) -> None:
        if self._process is not None:
            self._process.stop()
            if self._process.problem:
                self.guard.problems.append(self._process.problem)

    def _record_environment(self) -> None:
        record = environment.describe_environment(self._framework)
        self._open_writer.add_environment(record)
        self._change(environment_id=record.environment_id)

    def _record_parent(self) -> None:
        parent = self.lineage.begin(self._model, self._open_writer.files)
        if not self._resumes:  # its weights are its own: what it was trained from is known
            self._change(parent_experiment_id=parent)

    def _note_trained(self, is_kept: bool) -> None:
        self.lineage.end(self._model, self._open_writer, is_kept=is_kept)
        if self.lineage.has_trained:
            layers = lineage.trained_layers(self._model)
            active_recordings.remember_layers(layers, self)

    def _record_implementation(self) -> None:
        if self._model is None:
            return
        call = self.fit.call if self.fit else None
        record = implementation.describe_implementation(self._model, call, self._source, self.guard)
        self._open_writer.add_implementation(record)
        self._change(implementation_id=record.implementation_id)
        self._environment = implementation.environment_of(record.data_slice)

    def _record_hyperparameters(self) -> None:
        call = self.fit.call if self.fit else FitCall()
        self.add_hyperparameters(
            hyperparameters.collect(
                self._open_writer.experiment.experiment_id,
                self._model,
                call,
                self.fit.keras_params if self.fit else {},
                self.settings.params or {},
                scanned=self._source.hyperparameters,
                environment=self._environment,
            )
        )

    def _record_model(self) -> None:
        # One that is never called as a whole, such as a GAN, is described when all is over.
        if self._model is None or not (self._model.built or self._is_over):
            return
        writer = self._open_writer
        description = architecture.describe_architecture(self._model)
        path = writer.add_architecture(description.architecture, description.layers)
        self._change(architecture_id=description.architecture.architecture_id)
        if self.fit is None or self.fit.data_is_known:  # the data is a part of what a model is
            model = architecture.describe_model(self._model, description, writer.experiment, path)
            writer.add_model(model)
            self._change(model_id=model.model_id)
        if description.problem:
            self.guard.note(description.problem)

    @property
    def _open_writer(self) -> ExperimentWriter:
        assert self.writer is not None, "guarded steps run only with an open store"
        return self.writer

    def _change(self, **fields: Any) -> None:
        self._open_writer.set(**fields)

    def save_experiment(self, **fields: Any) -> None:
        """Change fields of the experiment and put it on disk."""
        if self.is_of_other_process:
            return
        self._change(**fields, problems=tuple(self.guard.problems))
        self.guard.run("write the experiment", self._open_writer.save_experiment)
