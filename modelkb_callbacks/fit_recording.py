"""What one ``fit`` shows: its data, curves and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelkb_callbacks.checkpointing import Checkpointing
from modelkb_callbacks.class_names import find_class_names
from modelkb_callbacks.curves import Curves
from modelkb_callbacks.datasets.dataset_watch import DatasetWatch
from modelkb_callbacks.evaluation.evaluator import Evaluator
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.settings import Settings
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter


class FitRecording:
    """Gathers what one ``fit`` shows, for the experiment that it belongs to.

    Args:
        writer: The experiment in the store.
        guard: Runs each step.
        settings: What the user asked for.
        framework: The backend.
        model: The compiled model.
        checkpointing: Keeps checkpoints of the experiment.
        call: The arguments of ``fit``, as far as they are known.
        keras_params: What Keras tells callbacks: ``epochs`` and ``steps``.
        data_source: Where the scanner found the data to come from, as JSON text.
        resumes: Whether it goes on with an experiment that has epochs already.

    Attributes:
        call: As above.
        keras_params: As above.
        class_names: Names of the classes, if known.
        data_is_known: Whether the training data is described as far as it will be.
    """

    def __init__(
        self,
        writer: ExperimentWriter,
        guard: Guard,
        *,
        settings: Settings,
        framework: Framework,
        model: Any,
        checkpointing: Checkpointing,
        call: FitCall,
        keras_params: Mapping[str, Any],
        data_source: str | None,
        resumes: bool = False,
    ) -> None:
        self._writer = writer
        self._guard = guard
        self._settings = settings
        self.call = call
        self.keras_params = keras_params
        self.data_is_known = False
        self._curves = Curves(writer, guard, model, keras_params)
        self._model = model
        self._checkpointing = checkpointing
        self._resumes = resumes
        self._epochs_before = 0
        self.class_names: Sequence[str] | None = settings.class_names or guard.run(
            "find the class names", lambda: find_class_names(call)
        )
        self._datasets = DatasetWatch(model, call, framework, self.class_names, source=data_source)
        self._evaluator = Evaluator(
            model,
            call,
            framework,
            limit=settings.evaluation_samples,
            class_names=self.class_names,
        )

    @property
    def epoch(self) -> int:
        """The epoch that runs, or ran last, from 0."""
        return self._curves.epoch

    @property
    def epochs_completed(self) -> int:
        """How many epochs have ended, those before a resumed training included."""
        return self._epochs_before + self._curves.epochs_completed

    def begin(self) -> None:
        """Describe the data, or begin to watch it, before the first step."""
        self._guard.run("describe the data", self._datasets.begin)
        self.data_is_known = self._datasets.training is not None
        self._guard.run("describe the data", self._record_datasets)

    def prepare_evaluation(self) -> None:
        """Choose how to evaluate, before the first step."""
        self._guard.run("prepare the evaluation", self._evaluator.prepare)

    def begin_epoch(self, epoch: int) -> None:
        """Note which epoch runs."""
        if self._resumes:
            # Only now it is known: a callback may have restored where the training was.
            self._resumes, self._epochs_before = False, epoch
            self._guard.run("go on with the curves", lambda: self._writer.drop_epochs_from(epoch))
        self._guard.run("follow the epochs", lambda: self._curves.begin_epoch(epoch))

    def begin_steps(self) -> None:
        """Note what the callbacks behind ours have set for the epoch."""
        self._guard.run("follow the epochs", self._curves.begin_steps)

    @property
    def end_batch(self) -> Callable[..., None]:
        """A hook for the end of each batch, cheap and safe; metrics are written with the epoch."""
        return self._curves.end_batch

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Put the epoch's metrics on disk."""
        self._guard.run("write the metrics", lambda: self._curves.end_epoch(epoch, logs))
        self._checkpointing.end_epoch(self._model, epoch, logs)
        self._guard.run("keep a sample of the data", self._evaluator.end_epoch)
        if not self.data_is_known:
            self._guard.run("describe the data", self._datasets.end_epoch)
            self.data_is_known = True
            self._guard.run("describe the data", self._record_datasets)

    def begin_validation(self) -> None:
        """Watch Keras' validation pass."""
        self._guard.run("follow the epochs", self._curves.end_steps)
        self._guard.run("watch the validation", self._evaluator.begin_pass)
        self._guard.run("describe the data", self._datasets.begin_validation)

    def end_validation(self) -> None:
        """Keep what the validation pass has shown."""
        self._guard.run(
            "watch the validation", lambda: self._evaluator.end_pass(self._curves.epoch)
        )
        self._guard.run("describe the data", self._datasets.end_validation)
        if self._writer.experiment.validation_dataset_id is None:
            self._guard.run("describe the data", self._record_datasets)

    def finish(self) -> None:
        """Put all that was gathered on disk; the training is over."""
        self._guard.run("write the metrics", self._curves.finish)
        self._guard.run("describe the data", self._datasets.finish)
        self.data_is_known = True
        self._guard.run("describe the data", self._record_datasets)
        if self._datasets.problem and self._datasets.problem not in self._guard.problems:
            self._guard.problems.append(self._datasets.problem)

    def evaluate(self, *, finished: bool) -> None:
        """Write the evaluation, which can take a while.

        Args:
            finished: Whether the training came to its end, so that the model can be used.
        """
        self._guard.run("evaluate", lambda: self._record_evaluation(finished))

    def _record_datasets(self) -> None:
        known = {
            "dataset_id": self._datasets.training,
            "validation_dataset_id": self._datasets.validation,
        }
        for field, record in known.items():
            if record is not None:
                self._writer.add_dataset(record)
                self._writer.set(**{field: record.dataset_id})

    def _record_evaluation(self, finished: bool) -> None:
        records = self._evaluator.results(
            self._writer.experiment.experiment_id, may_predict=finished
        )
        if records:
            self._writer.add_evaluations(records)
            self._note_unfit_class_names(records)
        elif self._evaluator.reason and finished:
            self._guard.problems.append(f"not evaluated: {self._evaluator.reason}")

    def _note_unfit_class_names(self, records: Sequence[EvaluationRecord]) -> None:
        names = self._settings.class_names
        counts = [len(r.support) for r in records if r.support is not None]
        if names is not None and counts and len(names) not in counts:
            self._guard.note(
                f"left out {len(names)} class names: the model has {counts[0]} classes"
            )
