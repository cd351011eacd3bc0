"""Which figures fit an output: from its loss, else from the first batch of it."""

from __future__ import annotations

import numpy as np

from modelkb_callbacks.evaluation.loss import Loss
from modelkb_callbacks.evaluation.tally import (
    Array,
    CannotEvaluateError,
    ConfusionTally,
    MultilabelTally,
    RegressionTally,
    Tally,
)


def new_tally(loss: Loss, class_count: int | None, labels: Array, predictions: Array) -> Tally:
    """Return an empty tally for an output.

    Args:
        loss: What is known of its loss.
        class_count: The number of classes, if predictions are class numbers already.
        labels: The first batch.
        predictions: The first batch.

    Raises:
        CannotEvaluateError: Labels and predictions go together in no way that is known.
    """
    if class_count is not None:
        return ConfusionTally(class_count)
    width = predictions.shape[-1] if predictions.ndim > 1 else 1
    one_hot = width > 1 and labels.shape == predictions.shape and _is_one_hot(labels)
    if loss.family == "binary" and width == 2 and one_hot:
        return ConfusionTally(2)  # yes and no in two columns
    if loss.family == "hinge" or (loss.family == "binary" and _is_yes_or_no(labels)):
        return _yes_or_no(width, 0.0 if loss.from_logits or loss.family == "hinge" else 0.5)
    if loss.family is None:
        if one_hot or (width > 1 and _are_class_numbers(labels, predictions, width)):
            return ConfusionTally(width)
        if labels.size == predictions.size and _is_yes_or_no(labels) and _is_share(predictions):
            return _yes_or_no(width, 0.5)
    if labels.size == predictions.size:
        return RegressionTally()
    raise CannotEvaluateError(
        f"labels of shape {labels.shape} for predictions of shape {predictions.shape}"
    )


def _yes_or_no(width: int, threshold: float) -> Tally:
    if width == 1:
        return ConfusionTally(2, threshold)
    return MultilabelTally(width, threshold)


def _are_class_numbers(labels: Array, predictions: Array, width: int) -> bool:
    one_per_row = labels.size * width == predictions.size
    return one_per_row and np.issubdtype(labels.dtype, np.integer) and bool(labels.max() < width)


def _is_one_hot(labels: Array) -> bool:
    return _is_yes_or_no(labels) and bool((labels.sum(axis=-1) == 1).all())


def _is_yes_or_no(labels: Array) -> bool:
    return bool(np.isin(labels, (0, 1)).all())


def _is_share(predictions: Array) -> bool:
    return bool(((predictions >= 0) & (predictions <= 1)).all())
