"""The Keras callback."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

try:
    import keras
except ImportError as error:
    from modelkb_store.errors import MissingPackageError

    raise MissingPackageError(
        "Keras 3 with a backend", "Recording a training", "pip install 'modelkb[tensorflow]'"
    ) from error

from modelkb_callbacks import active_recordings
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.fit_recording import FitRecording
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.outcome import status_of
from modelkb_callbacks.recording import Recording
from modelkb_callbacks.run import Run
from modelkb_callbacks.settings import DEFAULT_EVALUATION_SAMPLES, Settings
from modelkb_callbacks.user_source import UserSource
from modelkb_store.records import Status

_OF_A_RUN = (
    "_call",
    "_recording",
    "_last_recording",
    "_is_in_block",
    "_begun",
    "_event",
    "_model",
    "params",
    "experiment_id",
    "on_train_batch_begin",
    "on_train_batch_end",
)


class ModelKBCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Records a training: model, data, hyperparameters, curves, evaluation, environment.

    The training is the same with it and without it, to the bit. Whatever of ours fails
    becomes one :class:`ModelKBWarning`, and the training goes on. One callback can be used
    for several ``fit`` calls, each of which becomes an experiment, and can be copied.

    Args:
        store: Folder of the store, or the address of a bucket (``s3://..``) or a server
            (``https://host:port``), which nothing waits for. Default: ``$MODELKB_STORE``, else
            ``./modelkb``.
        project: The project that holds the experiment. Default: ``$MODELKB_PROJECT``, else
            ``default``.
        name: The experiment's name. Default: the model's name and the last part of the id.
        owner: Who runs it. Default: the user's login name.
        tags: Short texts to find it by.
        notes: Anything worth remembering.
        params: Hyperparameters of your own, by name; values are numbers, texts, truth
            values, or lists and dictionaries of these.
        class_names: Names of the classes, in the order of their numbers. Default: taken from
            the data where it knows them (``image_dataset_from_directory``).
        batch_metrics: Whether to record the curves by batch, too, in the table
            ``batch_metrics``.
        console: Whether to keep what is printed during the training.
        save_weights: Whether to keep the final weights; those of a run that failed are not.
        checkpoints: ``epoch`` to keep the weights of every epoch, ``best`` to keep those of the
            best one so far. What does not change from one to the next is stored once.
        monitor: What the best is chosen by, as in Keras' history. Default: ``val_loss``, else
            ``loss``.
        resume: The id of an experiment to go on with, when its training is taken up again
            (``initial_epoch``, ``BackupAndRestore``); or True for the last one of the project that
            did not finish and has the same architecture, and a new one if there is none. Epochs
            that run again replace what was recorded of them.
        evaluation_samples: How many samples at most are predicted for the evaluation when
            it cannot be taken from Keras' own validation pass.
        silence: Codes of the scanner's warnings that are not wanted, beside those in
            ``$MODELKB_SILENCE``.
        strict: Raise what fails of ours, instead of one warning.

    Raises:
        InvalidNameError: The project's name is not legal.
        InvalidSettingError: Another argument makes no sense.

    Attributes:
        experiment_id: The id of the running or last recorded experiment, or None.

    Example:
        >>> model.fit(x, y, validation_split=0.2, epochs=5, callbacks=[ModelKB(project="digits")])
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | None = None,
        project: str | None = None,
        name: str | None = None,
        *,
        owner: str | None = None,
        tags: Sequence[str] | None = (),
        notes: str | None = "",
        params: Mapping[str, Any] | None = None,
        class_names: Sequence[str] | None = None,
        batch_metrics: bool = False,
        console: bool = False,
        save_weights: bool = True,
        checkpoints: str | None = None,
        monitor: str | None = None,
        resume: str | bool = False,
        evaluation_samples: int = DEFAULT_EVALUATION_SAMPLES,
        silence: Sequence[str] = (),
        strict: bool = False,
    ) -> None:
        self._set_up(
            Settings(
                store=store,
                project=project or "",
                name=name,
                owner=owner,
                tags=tags,
                notes=notes,
                params=params,
                class_names=class_names,
                batch_metrics=batch_metrics,
                console=console,
                save_weights=save_weights,
                checkpoints=checkpoints,
                monitor=monitor,
                resume=resume,
                evaluation_samples=evaluation_samples,
                silence=silence,
                strict=strict,
            )
        )
        Guard(strict=strict).run(
            "scan the source", lambda: UserSource.of_caller().warn(self._settings.silence)
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> ModelKBCallback:
        """Make a callback of settings that are checked already."""
        callback = cls.__new__(cls)
        callback._set_up(settings)
        return callback

    def _set_up(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._call: FitCall | None = None
        self._recording: Recording | None = None
        self._is_in_block = False
        self._last_recording: Recording | None = None
        # What is there twice in a list of callbacks is told everything twice.
        self._begun: tuple[Any, Any] | None = None
        self._event: object = None
        self.experiment_id: str | None = None
        if settings.batch_metrics:
            # Only now: a batch hook on the class would cost every training a call a batch,
            # and would keep Keras from dispatching batch ends asynchronously.
            self.on_train_batch_end = self._pass_over_batch

    @property
    def run(self) -> Run:
        """The experiment that runs, or was recorded last, to be told more than it sees."""
        return Run(self._last_recording)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the run: a copy (tuners make deep ones) or a pickle records nothing yet."""
        return {name: value for name, value in vars(self).items() if name not in _OF_A_RUN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set_up(state["_settings"])
        self.__dict__.update(state)

    def begin_fit(self, call: FitCall) -> None:
        """Take the arguments of the ``fit`` that is about to run. Called by the patch."""
        self._call = call

    def end_fit(self, outcome: BaseException | None) -> None:
        """Complete the record. Called by the patch when ``fit`` is left, whichever way."""
        self._call = None
        self._end(status_of(outcome), outcome)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin an experiment."""
        is_new = self._is_new("train begin")
        begun = self._begun
        if begun and not is_new and begun[0] is self._call and begun[1] is self.params:
            return
        self._end(Status.INTERRUPTED, None)  # a fit that never came to its end
        self._begun = self._call, self.params
        block = active_recordings.of_model(self.model)
        self._is_in_block = block is not None
        self._recording = self._last_recording = recording = block or Recording(self._settings)
        if block is None:
            recording.begin(self.model)
        recording.begin_fit(self.model, self._call or FitCall(), self.params or {})
        self.experiment_id = recording.experiment_id
        if self._settings.batch_metrics and self._fit is not None:
            # What Keras calls is what keeps the batch, with nothing in between.
            self.on_train_batch_end = self._fit.end_batch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note where the epoch starts."""
        if self._fit is not None and self._is_new(("epoch begin", epoch)):
            self._fit.begin_epoch(epoch)
            # For one call: a hook for every batch would cost every training.
            self.on_train_batch_begin = self._on_first_batch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the epoch's metrics on disk."""
        if self._recording is not None and self._is_new(("epoch end", epoch)):
            self._recording.end_epoch(epoch, logs or {})

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin to watch Keras' own validation pass."""
        if self._fit is not None and self._is_new("test begin"):
            self._fit.begin_validation()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Keep what the validation pass has shown."""
        if self._fit is not None and self._is_new("test end"):
            self._fit.end_validation()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Complete the record, unless the patch does so once all callbacks are through."""
        if self._call is None:
            self._end(Status.FINISHED, None)

    def _on_first_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.__dict__.pop("on_train_batch_begin", None)
        if self._fit is not None:
            self._fit.begin_steps()

    def _pass_over_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stand for the hook while nothing is recorded."""

    def _is_new(self, event: object) -> bool:
        """Return whether this is another event than the last one, and keep it as the last."""
        last, self._event = self._event, event
        return event != last

    def _end(self, status: Status, outcome: BaseException | None) -> None:
        recording, self._recording = self._recording, None
        self._begun = None
        if self._settings.batch_metrics:
            self.on_train_batch_end = self._pass_over_batch
        if recording is None:
            return
        if self._is_in_block:
            recording.end_fit(status)
        else:
            recording.end(status, outcome)

    @property
    def _fit(self) -> FitRecording | None:
        recording = self._recording
        return None if recording is None or recording.is_of_other_process else recording.fit


ModelKB = ModelKBCallback
