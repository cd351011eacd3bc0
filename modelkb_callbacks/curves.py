"""The training curves, from Keras' logs to rows."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from modelkb_callbacks.batch_block import batch_blocks
from modelkb_callbacks.batch_log import BatchLog
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.learning_rate import current_learning_rate, has_schedule
from modelkb_callbacks.logged_metrics import as_number, split_and_metric
from modelkb_callbacks.rows import to_numpy
from modelkb_store.records import EpochRecord, MetricRecord
from modelkb_store.shortest_float import shortest_float
from modelkb_store.writer import ExperimentWriter


class Curves:
    """Turns the logs of epochs and batches into rows and writes them.

    An epoch is told in four steps, of which those in the middle may be left out:
    :meth:`begin_epoch`, :meth:`begin_steps`, :meth:`end_steps` and :meth:`end_epoch`.

    Args:
        writer: The experiment in the store.
        guard: Runs each step.
        model: The Keras model, whose optimizer counts the steps.
        keras_params: What Keras tells callbacks, for models without an optimizer.

    Attributes:
        epoch: The epoch that runs, from 0.
        epochs_completed: How many have ended in this run.
        end_batch: A hook for the end of each batch, which keeps its metrics; they are written
            every ten seconds.
    """

    def __init__(
        self,
        writer: ExperimentWriter,
        guard: Guard,
        model: Any,
        keras_params: Mapping[str, Any],
    ) -> None:
        self._writer = writer
        self._guard = guard
        self._model = model
        self._steps_per_epoch = int(keras_params.get("steps") or 0)
        self._first_step = 0
        self._batches = BatchLog(lambda: guard.run("record a batch", self._write_batches))
        self._started_at = datetime.now(timezone.utc)
        self._clock = time.monotonic()
        self._initial_rate: float | None = None
        self._final_rate: float | None = None
        self.epoch = 0
        self.epochs_completed = 0
        self.end_batch = self._batches.end_batch

    def begin_epoch(self, epoch: int) -> None:
        """Note the epoch and the step that it starts from."""
        self.epoch = epoch
        self._batches.begin_epoch()
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

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Write an epoch's metrics, and its batches'."""
        self.epochs_completed += 1
        self._write_batches()
        step = self._steps_so_far(epochs=epoch + 1)
        experiment_id = self._writer.experiment.experiment_id
        rows = metric_rows(experiment_id, logs, epoch=epoch, step=step, seconds=time.time())
        ended = EpochRecord(
            experiment_id=experiment_id,
            epoch=epoch,
            started_at=self._started_at,
            duration_seconds=time.monotonic() - self._clock,
            initial_learning_rate=self._initial_rate,
            final_learning_rate=self._rate_at_end(logs),
        )
        # What a full disk does not take now it takes later, if it is told of all.
        self._write(lambda: self._writer.append_metrics(rows))
        self._write(lambda: self._writer.append_epoch(ended))

    def finish(self) -> None:
        """Write what is left, of an epoch that did not come to its end."""
        self._write_batches()

    def _rate_at_end(self, logs: Mapping[str, Any]) -> float | None:
        """Return the learning rate after the last step, whoever has changed it since."""
        if self._final_rate is not None:
            return self._final_rate
        # Keras' callbacks that change the rate put it into the logs before they do.
        logged = as_number(logs.get("learning_rate"))
        if logged is None or has_schedule(self._model):
            return current_learning_rate(self._model)
        return shortest_float(logged)

    def _write_batches(self) -> None:
        blocks = batch_blocks(self._batches.take(), epoch=self.epoch, first_step=self._first_step)
        for block in blocks:
            for columns in block.columns(self._writer.experiment.experiment_id):
                self._write(functools.partial(self._writer.append_batch_columns, columns))

    def _write(self, action: Callable[[], None]) -> None:
        self._guard.run("write the metrics", action)

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
        number = as_number(value)
        if number is None:
            continue
        told_split, metric = split_and_metric(name)
        rows.append(
            MetricRecord(
                experiment_id=experiment_id,
                epoch=epoch,
                step=step,
                split=split or told_split,
                metric=metric if split is None else name,
                value=number,
                wall_time=moment,
            )
        )
    return rows


def steps_taken(model: Any) -> int:
    """Return how many steps a model's optimizer has taken; 0 without one."""
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return 0 if iterations is None else int(to_numpy(iterations))
