"""Checkpoints of a training: of its start, of every epoch, of the best one, and of the end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from modelkb_callbacks.guard import Guard
from modelkb_callbacks.lineage import weights_id
from modelkb_callbacks.logged_metrics import as_number
from modelkb_callbacks.saved_weights import has_weights, save_weights
from modelkb_callbacks.settings import Settings
from modelkb_store.metric_direction import higher_is_better
from modelkb_store.writer import ExperimentWriter

INITIAL, EACH_EPOCH, BEST, END = "initial", "epoch", "best", "end"


class Checkpointing:
    """Stores the weights of one experiment's models, as the user asked.

    The best is the best of the whole experiment, of however many ``fit`` calls it is.

    Args:
        writer: The experiment in the store.
        guard: Runs each step.
        settings: What the user asked for.

    Attributes:
        keeps_start: Whether the weights before the training may be kept.
    """

    def __init__(self, writer: ExperimentWriter, guard: Guard, settings: Settings) -> None:
        self._writer = writer
        self._guard = guard
        self.keeps_start = settings.save_weights
        self._which = settings.checkpoints
        self._monitor = settings.monitor
        self._metric: str | None = None
        self._best: float | None = None

    def begin(self, model: Any) -> None:
        """Store the weights that a training begins with, if there are any, and any are wanted."""
        if self.keeps_start and has_weights(model):
            self._save(model, INITIAL)

    def end_epoch(self, model: Any, epoch: int, logs: Mapping[str, Any]) -> None:
        """Store a checkpoint of an epoch, if one is wanted.

        Args:
            model: The Keras model.
            epoch: The epoch, from 0.
            logs: Its metrics, by the names of Keras' history.
        """
        if self._which is not None:
            self._guard.run("keep a checkpoint", lambda: self._keep(model, epoch, logs))

    def end(self, model: Any) -> None:
        """Store the weights that the experiment ends with."""
        if has_weights(model):
            self._guard.run("save the weights", lambda: self._save(model, END))
            return
        self._guard.problems.append(
            "the weights were not kept: the model was never called as a whole, and parts of it "
            "have none"
        )

    def _keep(self, model: Any, epoch: int, logs: Mapping[str, Any]) -> None:
        if self._which == EACH_EPOCH:
            self._save(model, EACH_EPOCH, epoch)
            self._note(model)
            return
        metric = self._choose_metric(logs)
        value = as_number(logs.get(metric))
        if value is not None and self._is_better(metric, value):
            self._save(model, BEST, epoch, metric, value)
            self._best = value
            self._note(model)

    def _choose_metric(self, logs: Mapping[str, Any]) -> str:
        """Return what the best is chosen by; it stays the same once a validation has told."""
        wanted = self._monitor or ("val_loss" if "val_loss" in logs else self._metric or "loss")
        if wanted != self._metric:  # with `validation_freq` the validation comes later
            self._metric, self._best = wanted, None
        validated = any(name.startswith("val_") for name in logs)
        if wanted not in logs and (validated or not wanted.startswith("val_")):
            known = ", ".join(map(str, logs))
            self._guard.note(f"kept no best checkpoint: Keras logged no {wanted}, but {known}")
        return wanted

    def _is_better(self, metric: str, value: float) -> bool:
        if math.isnan(value):
            return False
        if self._best is None:
            return True
        return value > self._best if higher_is_better(metric) else value < self._best

    def _save(
        self,
        model: Any,
        kind: str,
        epoch: int | None = None,
        metric: str | None = None,
        value: float | None = None,
    ) -> None:
        self._writer.add_checkpoint(
            kind,
            lambda path: save_weights(model, path),
            epoch=epoch,
            metric=metric,
            value=value,
        )

    def _note(self, model: Any) -> None:
        """Let who trains this checkpoint further find the experiment."""
        weights = weights_id(model)
        if weights is not None:
            self._writer.add_trained_weights(weights)
