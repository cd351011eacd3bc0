"""The training curves, from Keras' logs to rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from modelkb_callbacks.learning_rate import current_learning_rate, has_schedule
from modelkb_callbacks.plain_values import shortest_float
from modelkb_callbacks.rows import to_numpy
from modelkb_store.records import EpochRecord, MetricRecord
from modelkb_store.writer import ExperimentWriter

_VALIDATION_PREFIX = "val_"
_WRITE_BATCHES_AFTER_SECONDS = 10.0


class Curves:
    """Turns the logs of epochs and batches into rows and writes them.

    An epoch is told in four steps, of which those in the middle may be left out:
    :meth:`begin_epoch`, :meth:`begin_steps`, :meth:`end_steps` and :meth:`end_epoch`.

    Args:
        writer: The experiment in the store.
        model: The Keras model, whose optimizer counts the steps.
        keras_params: What Keras tells callbacks, for models without an optimizer.

    Attributes:
        epoch: The epoch that runs, from 0.
        epochs_completed: How many have ended in this run.
    """

    def __init__(
        self, writer: ExperimentWriter, model: Any, keras_params: Mapping[str, Any]
    ) -> None:
        self._writer = writer
        self._model = model
        self._steps_per_epoch = int(keras_params.get("steps") or 0)
        self._first_step = 0
        self._batches: list[tuple[int, float, Mapping[str, Any]]] = []
        self._written_at = time.monotonic()
        self._started_at = datetime.now(timezone.utc)
        self._clock = time.monotonic()
        self._initial_rate: float | None = None
        self._final_rate: float | None = None
        self.epoch = 0
        self.epochs_completed = 0

    def begin_epoch(self, epoch: int) -> None:
        """Note the epoch and the step that it starts from."""
        self.epoch = epoch
        self._started_at, self._clock = datetime.now(timezone.utc), time.monotonic()
        self._first_step = self._steps_so_far(epochs=epoch)
        self._initial_rate, self._final_rate = current_learning_rate(self._model), None

    def begin_steps(self) -> None:
        """Read the learning rate again, when all callbacks have begun the epoch.

        A scheduler may come behind ours, and set the rate after :meth:`begin_epoch`.
        """
        self._initial_rate = current_learning_rate(self._model)

    def end_steps(self) -> None:
        """Read the learning rate when the validation begins, before callbacks change it."""
        self._final_rate = current_learning_rate(self._model)

    def end_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Keep a batch's metrics, cheaply; every ten seconds they are written."""
        self._batches.append((batch, time.time(), logs))
        if time.monotonic() - self._written_at > _WRITE_BATCHES_AFTER_SECONDS:
            self._take_batches()
            self._writer.flush()
            self._written_at = time.monotonic()

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Write an epoch's metrics, and its batches'."""
        self.epochs_completed += 1
        self._take_batches()
        step = self._steps_so_far(epochs=epoch + 1)
        self._writer.append_epoch(
            EpochRecord(
                experiment_id=self._writer.experiment.experiment_id,
                epoch=epoch,
                started_at=self._started_at,
                duration_seconds=time.monotonic() - self._clock,
                initial_learning_rate=self._initial_rate,
                final_learning_rate=self._rate_at_end(logs),
            )
        )
        self._writer.append_metrics(self._rows(epoch, step, time.time(), logs))
        self._writer.flush()
        self._written_at = time.monotonic()

    def _rate_at_end(self, logs: Mapping[str, Any]) -> float | None:
        """Return the learning rate after the last step, whoever has changed it since."""
        if self._final_rate is not None:
            return self._final_rate
        # Keras' callbacks that change the rate put it into the logs before they do.
        logged = _number(logs.get("learning_rate"))
        if logged is None or has_schedule(self._model):
            return current_learning_rate(self._model)
        return shortest_float(logged)

    def _take_batches(self) -> None:
        batches, self._batches = self._batches, []
        for batch, seconds, logs in batches:
            step = self._first_step + batch + 1
            self._writer.append_batch_metrics(self._rows(self.epoch, step, seconds, logs))

    def _rows(
        self, epoch: int, step: int, seconds: float, logs: Mapping[str, Any]
    ) -> list[MetricRecord]:
        experiment_id = self._writer.experiment.experiment_id
        return metric_rows(experiment_id, logs, epoch=epoch, step=step, seconds=seconds)

    def _steps_so_far(self, epochs: int) -> int:
        # A model with a train_step of its own may have optimizers of its own.
        return steps_taken(self._model) or epochs * self._steps_per_epoch


def metric_rows(
    experiment_id: str,
    logs: Mapping[str, Any],
    *,
    epoch: int,
    step: int,
    seconds: float,
    split: str | None = None,
) -> list[MetricRecord]:
    """Return the rows of some logs; what is no number in them is left out.

    Args:
        experiment_id: The run.
        logs: Values by the names of Keras' history.
        epoch: From 0.
        step: The optimizer's steps so far.
        seconds: The time, since the epoch of the operating system.
        split: The split of all; by default told by the names, as Keras does.
    """
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    rows = []
    for name, value in logs.items():
        number = _number(value)
        if number is None:
            continue
        of_validation = split is None and name.startswith(_VALIDATION_PREFIX)
        rows.append(
            MetricRecord(
                experiment_id=experiment_id,
                epoch=epoch,
                step=step,
                split=split or ("validation" if of_validation else "train"),
                metric=name[len(_VALIDATION_PREFIX) :] if of_validation else name,
                value=number,
                wall_time=moment,
            )
        )
    return rows


def steps_taken(model: Any) -> int:
    """Return how many steps a model's optimizer has taken; 0 without one."""
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return 0 if iterations is None else int(to_numpy(iterations))


def _number(value: Any) -> float | None:
    """Return a value of the logs as Keras' history has it; None for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None  # a metric that gives a vector or a picture
