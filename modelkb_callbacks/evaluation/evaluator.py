"""Evaluates a run, without a change to the training and without a pass over its data.

In this order, whichever is possible first: from Keras' own validation pass; from the
validation arrays, predicted again when the training is over; from a sample of the batches
that the validation consumed, likewise; and for a run without validation, from a sample of
its training data. Nothing of ours ever iterates a dataset or generator of the user's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from modelkb_callbacks.evaluation.outputs import Outputs
from modelkb_callbacks.evaluation.passes import (
    OutputTallies,
    ValidationPass,
    fingerprint_weights,
)
from modelkb_callbacks.evaluation.prediction import output_bytes, predict_sample
from modelkb_callbacks.evaluation.sample import ArraySample, BatchSample, Sample
from modelkb_callbacks.evaluation.tally import (
    CannotEvaluateError,
    ConfusionTally,
    MultilabelTally,
    Tally,
)
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.frameworks.framework import Phase, Tap
from modelkb_callbacks.rows import are_arrays, row_count
from modelkb_store.records import EvaluationRecord

_PASSES_KEPT = 100
_BYTES_OF_PASSES = 16 << 20
_MIN_SECONDS = 2.0
_SHARE_OF_TRAINING = 0.1
_WHY_NOT_WATCHED = (
    "data that is not arrays cannot be watched with several replicas, with several steps in "
    "one execution, or once the model was trained or evaluated before; pass validation data "
    "as arrays, or compile the model anew"
)


class Evaluator:
    """Evaluates one run.

    Args:
        model: The compiled model.
        call: The arguments of ``fit``.
        framework: The backend.
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
        *,
        limit: int,
        class_names: Sequence[str] | None,
    ) -> None:
        self._model = model
        self._call = call
        self._framework = framework
        self._limit = limit
        self._class_names = tuple(class_names) if class_names else None
        self._outputs = Outputs(model)
        self._tap: Tap | None = None
        self._pass: OutputTallies | None = None
        self._passes: deque[ValidationPass] = deque(maxlen=_PASSES_KEPT)
        self._batches: BatchSample | None = None
        self._split = "validation" if call.is_validated or not call.arguments else "train"
        self._began = time.monotonic()
        self.reason: str | None = None

    def prepare(self) -> None:
        """Choose how to evaluate, and put what is needed in place before the first step."""
        phase: Phase = "train" if self._split == "train" else "test"
        untraced = phase in self._call.untraced
        if self._split == "validation":
            self._tap = self._framework.tap_predictions(
                self._model, self._outputs, untraced=untraced
            )
            if self._tap is not None and isinstance(self._tap.reduce, Outputs):
                self._outputs = self._tap.reduce  # of an earlier fit of this model
        if self._tap is None and not self._has_arrays():
            self._tap = self._framework.tap_batches(self._model, phase, untraced=untraced)
            self._batches = BatchSample(self._limit)
            if self._tap is None:
                self.reason = _WHY_NOT_WATCHED
            elif self._split == "train":
                self._tap.watch(self._keep_batch)

    def begin_pass(self) -> None:
        """Watch a validation pass."""
        if self._tap is None or self._split == "train" or self.reason is not None:
            return
        if self._batches is not None:
            self._tap.watch(self._keep_batch)
        else:
            self._pass = OutputTallies(self._outputs)
            self._tap.watch(self._count_batch)

    def end_pass(self, epoch: int) -> None:
        """Keep what the pass has shown."""
        if self._tap is None or self._split == "train":
            return
        self._stop_watching()
        if self._batches is not None:
            self._batches.close()
        elif self._pass is not None and self._pass.tallies:
            while self._passes and self._pass.bytes * len(self._passes) > _BYTES_OF_PASSES:
                self._passes.popleft()
            weights = fingerprint_weights(self._model)
            self._passes.append(ValidationPass(epoch, weights, self._pass))
        self._pass = None

    def end_epoch(self) -> None:
        """Stop gathering training batches: one epoch has shown all there is."""
        if self._batches is not None and self._split == "train":
            self._batches.close()
            self._stop_watching()

    def results(self, experiment_id: str, *, may_predict: bool) -> list[EvaluationRecord]:
        """Return the evaluations, one per output with labels; none where :attr:`reason` is set.

        Args:
            experiment_id: The run.
            may_predict: Whether the model is in a state to be used.
        """
        self._stop_watching()
        now = fingerprint_weights(self._model) if self._passes else ""
        for seen in reversed(self._passes):
            if seen.weights == now:
                return self._records(experiment_id, seen.tallies, "validation_pass", seen.epoch)
        sample = self._sample() if may_predict and self.reason is None else None
        if sample is not None:
            return self._predict(experiment_id, sample)
        if self._passes:  # the weights were changed since, and there is nothing to predict
            last = self._passes[-1]
            return self._records(experiment_id, last.tallies, "earlier_validation_pass", last.epoch)
        self.reason = self.reason or "no labels were seen"
        return []

    def _keep_batch(self, x: list[Any], y: list[Any]) -> None:
        batches, tap = self._batches, self._tap
        if batches is None or tap is None or batches.is_full:
            self._stop_watching()
            return
        batches.template = tap.batch_template
        try:
            batches.add(x, y)
        except Exception as error:  # noqa: BLE001 - sparse or ragged batches; training goes on
            self._give_up(f"batches of this kind cannot be kept ({error})")

    def _count_batch(self, labels: list[Any], predictions: list[Any]) -> None:
        if self._pass is None:
            return
        try:
            self._pass.add(labels, predictions)
        except Exception as error:  # noqa: BLE001 - the training goes on
            self._give_up(str(error))

    def _give_up(self, reason: str) -> None:
        """What failed for one batch would fail for every other."""
        self.reason = reason
        self._pass = None
        self._stop_watching()

    def _stop_watching(self) -> None:
        if self._tap is not None:
            self._tap.unwatch(self._keep_batch)
            self._tap.unwatch(self._count_batch)

    def _has_arrays(self) -> bool:
        x, y = self._arrays()
        return y is not None and are_arrays(x, y)

    def _arrays(self) -> tuple[Any, Any]:
        if self._call.arguments.get("validation_data") is not None:
            return self._call.validation_data()
        return self._call.training_data()

    def _sample(self) -> Sample | None:
        if not self._has_arrays():
            return self._batches if self._batches and self._batches.has_labels() else None
        x, y = self._arrays()
        count = row_count(x)
        cut = self._call.split_position(count)
        rows = range(count) if cut == count else range(cut, count)
        if not rows:
            return None
        return ArraySample(
            x,
            y,
            rows,
            limit=self._limit,
            batch_size=self._call.batch_size,
            output_bytes=output_bytes(self._model),
        )

    def _predict(self, experiment_id: str, sample: Sample) -> list[EvaluationRecord]:
        trained = time.monotonic() - self._began
        seconds = max(_MIN_SECONDS, trained * _SHARE_OF_TRAINING)
        try:
            tallies, whole = predict_sample(
                self._model, sample, self._outputs, self._framework, seconds
            )
        except CannotEvaluateError as error:
            self.reason = str(error)
            return []
        source = "second_pass" if self._split == "validation" else "training_sample"
        sampled = not (sample.complete and whole)
        records = self._records(experiment_id, tallies, source, None, sampled=sampled)
        if not records:
            self.reason = "no output has labels and a loss"
        return records

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
