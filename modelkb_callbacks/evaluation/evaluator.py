"""Evaluates a run, without a change to the training and without a pass over its data.

In this order, whichever is possible first: from Keras' own validation pass; from the
validation arrays, predicted again when the training is over; from a sample of the batches
that the validation consumed, likewise; and for a run without validation, from a sample of
its training data. Nothing of ours ever iterates a dataset or generator of the user's.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.evaluation.outputs import Outputs
from modelkb_callbacks.evaluation.sample import BatchSample, Sample, sample_arrays
from modelkb_callbacks.evaluation.tally import ConfusionTally, MultilabelTally, Tally
from modelkb_callbacks.evaluation.task import new_tally
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.frameworks.framework import Phase, Tap
from modelkb_callbacks.guard import Guard
from modelkb_callbacks.model_state import unchanged
from modelkb_callbacks.rows import are_arrays, row_count, take_rows, to_numpy
from modelkb_store.records import EvaluationRecord

_PREDICTED_AT_ONCE = 1024
_PASSES_KEPT = 100
_FINGERPRINTED_VARIABLES = 4


class OutputTallies:
    """The tallies of all outputs over one pass."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self.tallies: dict[str, Tally] = {}

    def add(self, labels: list[Any], predictions: list[Any]) -> None:
        """Count a batch in, as the :class:`Outputs` have prepared it."""
        outputs = self._outputs
        for index, name in enumerate(outputs.names):
            true, predicted = to_numpy(labels[index]), to_numpy(predictions[index])
            if name not in self.tallies:
                loss, classes = outputs.losses[index], outputs.class_counts[index]
                self.tallies[name] = new_tally(loss, classes, true, predicted)
            self.tallies[name].add(true, predicted)


@dataclass(frozen=True)
class ValidationPass:
    """What one of Keras' validation passes has shown, and for which weights."""

    epoch: int
    weights: str
    tallies: OutputTallies


class Evaluator:
    """Evaluates one run.

    Args:
        model: The compiled model.
        call: The arguments of ``fit``.
        framework: The backend.
        guard: Keeps what fails here away from the training.
        limit: The most samples to predict again.
        class_names: Names of the classes, if known.

    Attributes:
        reason: Why there is no evaluation, if there will be none.
    """

    def __init__(
        self,
        model: Any,
        call: FitCall,
        framework: Framework,
        guard: Guard,
        *,
        limit: int,
        class_names: Sequence[str] | None,
    ) -> None:
        self._model = model
        self._call = call
        self._framework = framework
        self._guard = guard
        self._limit = limit
        self._class_names = tuple(class_names) if class_names else None
        self._outputs = Outputs(model)
        self._tap: Tap | None = None
        self._pass: OutputTallies | None = None
        self._passes: deque[ValidationPass] = deque(maxlen=_PASSES_KEPT)
        self._batches: BatchSample | None = None
        self._split = "validation" if call.is_validated or not call.arguments else "train"
        self.reason: str | None = None

    def prepare(self) -> None:
        """Choose how to evaluate, and put what is needed in place before the first step."""
        if self._split == "validation":
            self._tap = self._framework.tap_predictions(self._model, self._outputs)
            if self._tap is not None and isinstance(self._tap.reduce, Outputs):
                self._outputs = self._tap.reduce  # of an earlier fit of this model
        if self._tap is None and not self._has_arrays():
            phase: Phase = "train" if self._split == "train" else "test"
            self._tap = self._framework.tap_batches(self._model, phase)
            self._batches = BatchSample(self._limit)
            if self._tap is None:
                self.reason = (
                    "with several replicas, or several steps in one execution, data that is "
                    "not arrays cannot be watched; pass validation data as arrays"
                )
            elif self._split == "train":
                self._tap.show = self._keep_batch

    def begin_pass(self) -> None:
        """Watch a validation pass."""
        if self._tap is None or self._split == "train":
            return
        if self._batches is not None:
            self._tap.show = self._keep_batch
        else:
            self._pass = OutputTallies(self._outputs)
            self._tap.show = self._count_batch

    def end_pass(self, epoch: int) -> None:
        """Keep what the pass has shown."""
        if self._tap is None or self._split == "train":
            return
        self._tap.show = None
        if self._batches is not None:
            self._batches.close()
        elif self._pass is not None and self._pass.tallies:
            weights = _fingerprint(self._model)
            self._passes.append(ValidationPass(epoch, weights, self._pass))
        self._pass = None

    def end_epoch(self) -> None:
        """Stop gathering training batches: one epoch has shown all there is."""
        if self._batches is not None and self._split == "train":
            self._batches.close()
            self._detach()

    def results(self, experiment_id: str, *, may_predict: bool) -> list[EvaluationRecord]:
        """Return the evaluations, one per output with labels.

        Args:
            experiment_id: The run.
            may_predict: Whether the model is in a state to be used.
        """
        self._detach()
        now = _fingerprint(self._model) if self._passes else ""
        for seen in reversed(self._passes):
            if seen.weights == now:
                return self._records(experiment_id, seen.tallies, "validation_pass", seen.epoch)
        if may_predict:
            sample = self._sample()
            if sample is not None and keras.tree.flatten(sample.y):
                source = "second_pass" if self._split == "validation" else "training_sample"
                return self._records(
                    experiment_id, self._predict(sample), source, None, sampled=not sample.complete
                )
        if self._passes:  # the weights were changed since; the record says of which epoch it is
            last = self._passes[-1]
            return self._records(experiment_id, last.tallies, "validation_pass", last.epoch)
        self.reason = self.reason or "no labels were seen"
        return []

    def _keep_batch(self, x: list[Any], y: list[Any]) -> None:
        batches = self._batches
        if batches is None or batches.is_full:
            self._detach()
            return
        self._guard.run("keep a sample of the data", lambda: batches.add(x, y))

    def _count_batch(self, labels: list[Any], predictions: list[Any]) -> None:
        tallies = self._pass
        if tallies is None:
            return
        problems = len(self._guard.problems)
        self._guard.run("evaluate a batch", lambda: tallies.add(labels, predictions))
        if len(self._guard.problems) > problems:  # it would fail again for every batch
            self._pass = None
            self._detach()

    def _detach(self) -> None:
        if self._tap is not None:
            self._tap.show = None

    def _has_arrays(self) -> bool:
        x, y = self._arrays()
        return y is not None and are_arrays(x, y)

    def _arrays(self) -> tuple[Any, Any]:
        if self._call.arguments.get("validation_data") is not None:
            return self._call.validation_data()
        return self._call.training_data()

    def _sample(self) -> Sample | None:
        if self._has_arrays():
            x, y = self._arrays()
            rows = row_count(x)
            cut = self._call.split_position(rows)
            start, stop = (0, rows) if cut == rows else (cut, rows)
            return sample_arrays(x, y, start, stop, self._limit)
        if self._batches is None or self._tap is None or self._tap.batch_template is None:
            return None
        return self._batches.sample(self._tap.batch_template)

    def _predict(self, sample: Sample) -> OutputTallies:
        tallies = OutputTallies(self._outputs)
        with unchanged(self._model, self._framework):
            for start in range(0, sample.count, _PREDICTED_AT_ONCE):
                rows = np.arange(start, min(start + _PREDICTED_AT_ONCE, sample.count))
                x, y = (
                    keras.tree.map_structure(lambda leaf, rows=rows: take_rows(leaf, rows), part)
                    for part in (sample.x, sample.y)
                )
                predictions = self._model.predict(x, batch_size=self._call.batch_size, verbose=0)
                tallies.add(*self._outputs(y, predictions))
        return tallies

    def _records(
        self,
        experiment_id: str,
        outputs: OutputTallies,
        source: str,
        epoch: int | None,
        *,
        sampled: bool = False,
    ) -> list[EvaluationRecord]:
        return [
            EvaluationRecord(
                experiment_id=experiment_id,
                split=self._split,
                output=name,
                task=tally.task,
                source=source,
                sample_count=tally.sample_count,
                sampled=sampled,
                created_at=datetime.now(timezone.utc),
                epoch=epoch,
                class_names=self._names_for(tally),
                **tally.figures(),
            )
            for name, tally in outputs.tallies.items()
        ]

    def _names_for(self, tally: Tally) -> tuple[str, ...] | None:
        if not isinstance(tally, (ConfusionTally, MultilabelTally)) or self._class_names is None:
            return None
        return self._class_names if len(self._class_names) == tally.class_count else None


def _fingerprint(model: Any) -> str:
    """Return a short text that changes when the weights do, read from few bytes of them.

    It tells whether the model still has, or has again (``EarlyStopping`` restores its best
    ones), the weights of a validation pass. Every training step moves some of the smallest
    variables.
    """
    variables = sorted(model.trainable_variables, key=_size)[:_FINGERPRINTED_VARIABLES]
    digest = hashlib.blake2b(digest_size=16)
    for variable in variables:
        digest.update(to_numpy(variable).tobytes())
    return digest.hexdigest()


def _size(variable: Any) -> int:
    size = 1
    for extent in variable.shape:
        size *= int(extent)
    return size
