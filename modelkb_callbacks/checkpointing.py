"""Checkpoints while a model trains: of every epoch, or of the best one so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from modelkb_callbacks import architecture
from modelkb_callbacks.lineage import weights_id
from modelkb_callbacks.logged_metrics import as_number
from modelkb_callbacks.settings import Settings
from modelkb_store.metric_direction import higher_is_better
from modelkb_store.writer import ExperimentWriter

EACH_EPOCH, BEST = "epoch", "best"


class Checkpointing:
    """Stores the weights at the ends of epochs, as the user asked.

    Args:
        writer: The experiment in the store.
        settings: What the user asked for.
        model: The Keras model.
    """

    def __init__(self, writer: ExperimentWriter, settings: Settings, model: Any) -> None:
        self._writer = writer
        self._which = settings.checkpoints
        self._monitor = settings.monitor
        self._model = model
        self._best: float | None = None

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Store a checkpoint of the epoch, if one is wanted.

        Raises:
            OSError: The disk does not take it.
        """
        if self._which == EACH_EPOCH:
            self._save(EACH_EPOCH, epoch)
        elif self._which == BEST:
            metric = self._monitor or ("val_loss" if "val_loss" in logs else "loss")
            value = as_number(logs.get(metric))
            if value is not None and self._is_better(metric, value):
                self._save(BEST, epoch, metric, value)
                self._best = value

    def _is_better(self, metric: str, value: float) -> bool:
        if math.isnan(value):
            return False
        if self._best is None:
            return True
        return value > self._best if higher_is_better(metric) else value < self._best

    def _save(
        self, kind: str, epoch: int, metric: str | None = None, value: float | None = None
    ) -> None:
        self._writer.add_checkpoint(
            kind,
            lambda path: architecture.save_weights(self._model, path),
            epoch=epoch,
            metric=metric,
            value=value,
        )
        weights = weights_id(self._model)
        if weights is not None:  # so that who trains this checkpoint further finds its run
            self._writer.add_trained_weights(weights)
