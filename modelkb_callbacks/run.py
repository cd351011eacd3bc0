"""What the user adds to an experiment while it runs."""

from __future__ import annotations

import operator
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelkb_callbacks import active_recordings
from modelkb_callbacks.credentials import redacted
from modelkb_callbacks.curves import metric_rows, steps_taken
from modelkb_callbacks.evaluation.tally import ConfusionTally
from modelkb_callbacks.guard import warn
from modelkb_callbacks.hyperparameters import hyperparameter
from modelkb_store.errors import InvalidSettingError
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter

if TYPE_CHECKING:
    from modelkb_callbacks.recording import Recording

_TOO_LARGE = 1 << 31


class Run:
    """The experiment that is recorded, to be told more than it sees by itself.

    Made by :func:`modelkb_callbacks.experiment`, :func:`modelkb_callbacks.current_run` and
    :attr:`ModelKBCallback.run`. What cannot be recorded becomes one warning, as everywhere in
    a training; nothing is raised unless the run is ``strict``.

    Example:
        >>> with modelkb_callbacks.experiment(model, project="gan") as run:
        ...     run.log_params(latent_dim=64)
        ...     run.log(epoch=0, loss=0.7, val_loss=0.8)
        ...     run.tag("baseline")
    """

    def __init__(self, recording: Recording | None) -> None:
        self._recording = recording

    @property
    def experiment_id(self) -> str | None:
        """The experiment's id; None if nothing is being recorded."""
        return None if self._recording is None else self._recording.experiment_id

    def log(
        self,
        metrics: Mapping[str, Any] | None = None,
        /,
        *,
        epoch: int | None = None,
        step: int | None = None,
        **more: Any,
    ) -> None:
        """Add values to the curves.

        They survive the end of the process, however it comes, from when this returns.

        Args:
            metrics: Numbers by name, for names that are no Python names. As in Keras' logs,
                ``val_`` in front of a name means the validation split.
            epoch: From 0. Default: the epoch of the ``fit`` that runs, else the one after
                the last that was logged.
            step: The training step, from 1. With it and without an epoch, the values go to
                the curves by batch.
            **more: Further numbers: Python's, NumPy's, or tensors of one value.

        Example:
            >>> run.log(epoch=3, loss=0.21, val_accuracy=0.93)
        """

        def add(recording: Recording, writer: ExperimentWriter) -> None:
            _log(recording, writer, {**(metrics or {}), **more}, _whole(epoch), _whole(step))

        self._do("log metrics", add)

    def log_params(self, params: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Add hyperparameters of your own.

        Args:
            params: Numbers, texts, truth values, lists or dictionaries of these, by name.
            **more: Further ones.

        Example:
            >>> run.log_params(latent_dim=64, schedule="cosine")
        """

        def add(recording: Recording, writer: ExperimentWriter) -> None:
            run_id = writer.experiment.experiment_id
            values = {str(name): value for name, value in {**(params or {}), **more}.items()}
            recording.add_hyperparameters(
                [hyperparameter(run_id, name, value, "user") for name, value in values.items()]
            )

        self._do("log parameters", add)

    def log_confusion_matrix(
        self,
        matrix: Any = None,
        *,
        y_true: Any = None,
        y_pred: Any = None,
        class_names: Sequence[str] | None = None,
        split: str = "validation",
        output: str = "output",
        epoch: int | None = None,
    ) -> None:
        """Add a confusion matrix, with precision, recall and F1 per class.

        Args:
            matrix: Counts, shape (classes, classes): true classes in rows, predicted ones in
                columns. Or give labels and predictions instead:
            y_true: Class numbers, shape (samples,).
            y_pred: Class numbers, shape (samples,), or scores, shape (samples, classes).
            class_names: In the order of the class numbers.
            split: ``train``, ``validation`` or ``test``.
            output: The model's output that it is of.
            epoch: From 0. Default: the one that runs or ended last.

        Example:
            >>> run.log_confusion_matrix(y_true=labels, y_pred=model.predict(x), split="test")
        """

        def add(recording: Recording, writer: ExperimentWriter) -> None:
            tally = _tally_of(matrix, y_true, y_pred)
            names = class_names or recording.settings.class_names
            fits = names is not None and len(names) == tally.class_count
            writer.add_evaluations(
                [
                    EvaluationRecord(
                        experiment_id=writer.experiment.experiment_id,
                        split=split,
                        output=output,
                        task=tally.task,
                        source="user",
                        sample_count=int(tally.matrix.sum()),
                        sampled=False,
                        created_at=datetime.now(timezone.utc),
                        epoch=recording.epoch if epoch is None else _whole(epoch),
                        class_names=tuple(map(str, names)) if names and fits else None,
                        **tally.figures(),
                    )
                ]
            )

        self._do("log a confusion matrix", add)

    def note(self, text: str) -> None:
        """Add a line to the experiment's notes."""

        def add(recording: Recording, writer: ExperimentWriter) -> None:
            notes = "\n".join(filter(None, [writer.experiment.notes, str(redacted(str(text)))]))
            recording.save_experiment(notes=notes)

        self._do("add a note", add)

    def tag(self, *tags: str) -> None:
        """Add tags to the experiment; those that it has already change nothing."""

        def add(recording: Recording, writer: ExperimentWriter) -> None:
            every = (*writer.experiment.tags, *redacted([str(tag) for tag in tags]))
            recording.save_experiment(tags=tuple(dict.fromkeys(every)))

        self._do("add tags", add)

    def log_file(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Keep a copy of a file with the experiment.

        Args:
            path: The file, as it is now.
            name: What to call it. Default: its own name.
        """

        def add(recording: Recording, writer: ExperimentWriter) -> None:
            source = Path(path)
            kept = writer.add_file(
                "file", name or source.name, lambda target: _copy(source, target)
            )
            writer.add_artifacts([kept])

        self._do(f"keep the file {path}", add)

    def _do(self, what: str, action: Callable[[Recording, ExperimentWriter], None]) -> None:
        recording = self._recording
        if recording is None:
            warn(
                f"ModelKB could not {what}: nothing is being recorded. Pass ModelKB() to fit, or "
                "open a `with modelkb_callbacks.experiment(model) as run:`."
            )
            return
        writer = recording.writer
        if writer is not None and not recording.is_of_other_process:
            with recording.lock:
                recording.guard.run(what, lambda: action(recording, writer))
                if recording.is_over:  # nobody else will write down what failed
                    recording.save_experiment()


def current_run() -> Run:
    """Return the run that is being recorded: the one that began last, if there are several.

    Outside of any, what it returns records nothing, and warns when it is told something, so
    that code which logs need not know whether it is recorded.

    Example:
        >>> class Sparsity(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         modelkb_callbacks.current_run().log(epoch=epoch, zeros=count(self.model))
    """
    return Run(active_recordings.innermost())


def _log(
    recording: Recording,
    writer: ExperimentWriter,
    values: Mapping[str, Any],
    epoch: int | None,
    step: int | None,
) -> None:
    by_step = epoch is None and step is not None
    # What comes when an experiment is over is about the model as its last epoch left it.
    keeps_epoch = by_step or recording.fit_runs or recording.is_over
    if epoch is None:
        epoch = recording.epoch if keeps_epoch else recording.epochs_logged
    steps = step if step is not None else steps_taken(recording.model)
    experiment_id = writer.experiment.experiment_id
    rows, wrong = [], None
    for name, value in values.items():
        of_name = metric_rows(
            experiment_id, {str(name): value}, epoch=epoch or 0, step=steps, seconds=time.time()
        )
        rows += of_name
        if not of_name:
            wrong = name
    if by_step:
        writer.append_batch_metrics(rows)
    else:
        writer.append_metrics(rows)
    if not keeps_epoch:
        recording.epochs_logged = max(recording.epochs_logged, (epoch or 0) + 1)
    if wrong is not None:
        raise InvalidSettingError(wrong, values[wrong], "a number")


def _whole(number: Any) -> int | None:
    """Return an epoch or step as the tables can hold it.

    Raises:
        InvalidSettingError: It is no whole number from 0.
    """
    if number is None:
        return None
    try:
        whole = operator.index(number)
    except TypeError:
        whole = -1
    if not 0 <= whole < _TOO_LARGE:
        raise InvalidSettingError("epoch or step", number, "a whole number from 0")
    return whole


def _tally_of(matrix: Any, y_true: Any, y_pred: Any) -> ConfusionTally:
    if matrix is not None:
        counts = np.asarray(matrix)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
            raise InvalidSettingError("matrix", counts.shape, "as many rows as columns")
        if not np.array_equal(counts, np.abs(counts.astype(np.int64))):
            raise InvalidSettingError("matrix", matrix, "counts, whole numbers from 0")
        tally = ConfusionTally(len(counts))
        tally.matrix += counts.astype(np.int64)
        return tally
    if y_true is None or y_pred is None:
        raise InvalidSettingError("matrix", None, "a matrix, or y_true and y_pred")
    labels, predictions = np.asarray(y_true), np.asarray(y_pred)
    if len(labels) != len(predictions):
        raise InvalidSettingError("y_pred", len(predictions), f"{len(labels)} samples, as y_true")
    if predictions.ndim > 1:
        classes = predictions.shape[-1]
    else:
        classes = int(max(labels.max(initial=0), predictions.max(initial=0))) + 1
        predictions = predictions.astype(np.int64)
    tally = ConfusionTally(classes)
    tally.add(labels, predictions)
    return tally


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
