"""Counting how predictions meet labels, batch by batch, in constant memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

_MAX_CLASSES = 1000
_MAX_RESIDUALS = 20_000
_MAX_BINS = 50
_MAX_COLUMNS = 1000

Array = npt.NDArray[Any]


class CannotEvaluateError(ValueError):
    """An output whose labels and predictions are not of a kind that we have figures for."""


class Tally(ABC):
    """Figures of one output over the batches added so far."""

    task: ClassVar[str]

    def __init__(self) -> None:
        self.sample_count = 0

    @property
    def bytes(self) -> int:
        """How much memory the tally takes, in the main."""
        return 0

    def add(self, labels: Array, predictions: Array) -> None:
        """Count a batch in."""
        self.sample_count += len(labels)
        self._count(labels, predictions)

    @abstractmethod
    def _count(self, labels: Array, predictions: Array) -> None: ...

    @abstractmethod
    def figures(self) -> dict[str, Any]:
        """Return the figures, by the names of :class:`EvaluationRecord`'s fields."""


class ConfusionTally(Tally):
    """A confusion matrix, for two or more classes of which one is right.

    Args:
        class_count: The number of classes.
        threshold: For one prediction per sample: above it, it means class 1. None where
            predictions are class numbers, or scores by class in the last axis.

    Raises:
        CannotEvaluateError: There are more than 1,000 classes.
    """

    task = "classification"

    def __init__(self, class_count: int, threshold: float | None = None) -> None:
        super().__init__()
        if class_count > _MAX_CLASSES:
            raise CannotEvaluateError(
                f"{class_count} classes; a confusion matrix is kept of {_MAX_CLASSES} at most"
            )
        self.class_count = class_count
        self._threshold = threshold
        self.matrix = np.zeros((class_count, class_count), dtype=np.int64)

    @property
    def bytes(self) -> int:
        return self.matrix.nbytes

    def _count(self, labels: Array, predictions: Array) -> None:
        if self._threshold is not None:
            # Labels are 0 and 1, or -1 and 1 as with hinge losses.
            labels, predictions = labels > 0, predictions > self._threshold
        elif np.issubdtype(predictions.dtype, np.floating):
            if labels.shape == predictions.shape:
                labels = labels.argmax(-1)
            predictions = predictions.argmax(-1)
        true = labels.astype(np.int64).ravel()
        predicted = predictions.astype(np.int64).ravel()
        # A label outside the classes (often -1) marks what is not to be counted.
        known = (true >= 0) & (true < self.class_count)
        cells = true[known] * self.class_count + predicted[known]
        self.matrix += np.bincount(cells, minlength=self.matrix.size).reshape(self.matrix.shape)

    def figures(self) -> dict[str, Any]:
        right = np.diag(self.matrix)
        total = int(self.matrix.sum())
        return {
            "confusion_matrix": tuple(tuple(row) for row in self.matrix.tolist()),
            "accuracy": float(right.sum() / total) if total else None,
            **_per_class(right, self.matrix.sum(axis=0), self.matrix.sum(axis=1)),
        }


class MultilabelTally(Tally):
    """Figures per label, where a sample can have several labels."""

    task = "multilabel"

    def __init__(self, label_count: int, threshold: float) -> None:
        super().__init__()
        self.class_count = label_count
        self._threshold = threshold
        self._right, self._predicted, self._true = np.zeros((3, label_count), dtype=np.int64)
        self._agreeing = 0
        self._cells = 0

    def _count(self, labels: Array, predictions: Array) -> None:
        width = len(self._right)
        true = labels.reshape(-1, width) > 0
        predicted = predictions.reshape(-1, width) > self._threshold
        self._right += (true & predicted).sum(axis=0)
        self._predicted += predicted.sum(axis=0)
        self._true += true.sum(axis=0)
        self._agreeing += int((true == predicted).sum())
        self._cells += true.size

    def figures(self) -> dict[str, Any]:
        return {
            "accuracy": self._agreeing / self._cells if self._cells else None,
            **_per_class(self._right, self._predicted, self._true),
        }


class RegressionTally(Tally):
    """Errors of a regression, averaged over its columns as scikit-learn does.

    Variances are merged batch by batch (Chan, Golub and LeVeque, 1979), which keeps its
    digits where a sum of squares would lose them.
    """

    task = "regression"

    def __init__(self) -> None:
        super().__init__()
        self._rows = 0
        self._mean: Array | float = 0.0
        self._squares: Array | float = 0.0  # of labels around their mean
        self._absolute: Array | float = 0.0
        self._squared: Array | float = 0.0
        self._residuals: list[Array] = []
        self._kept = 0
        self._stride = 1  # every so many-th residual is kept
        self._skip = 0

    def _count(self, labels: Array, predictions: Array) -> None:
        # (n, t) and (n, t, 1) go together, but must not be broadcast against each other.
        true, predicted = _columns(labels), _columns(predictions.reshape(labels.shape))
        residuals = true - predicted
        rows = len(true)
        mean = true.mean(axis=0)
        shift = mean - self._mean
        total = self._rows + rows
        self._squares += ((true - mean) ** 2).sum(axis=0) + shift**2 * self._rows * rows / total
        self._mean += shift * rows / total
        self._rows = total
        self._absolute += np.abs(residuals).sum(axis=0)
        self._squared += (residuals**2).sum(axis=0)
        self._keep(residuals.ravel())

    def figures(self) -> dict[str, Any]:
        edges, counts = self._histogram()
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = 1 - np.asarray(self._squared) / np.asarray(self._squares)
        # Labels that do not vary: nothing to explain, right or wrong as a whole.
        flat = np.asarray(self._squares) == 0
        r2 = np.where(flat, np.where(np.asarray(self._squared) == 0, 1.0, 0.0), r2)
        return {
            "r2": float(r2.mean()) if self._rows > 1 else None,
            "mae": float(np.mean(self._absolute / self._rows)),
            "rmse": float(np.mean(np.sqrt(self._squared / self._rows))),
            "residual_edges": edges,
            "residual_counts": counts,
        }

    @property
    def bytes(self) -> int:
        return self._kept * 8

    def _keep(self, residuals: Array) -> None:
        """Keep evenly spread residuals; when they are too many, every second one goes."""
        kept = residuals[self._skip :: self._stride]
        self._skip = (self._skip - residuals.size) % self._stride
        self._residuals.append(kept)
        self._kept += kept.size
        while self._kept > _MAX_RESIDUALS:
            self._residuals = [np.concatenate(self._residuals)[::2]]
            self._kept = self._residuals[0].size
            self._stride *= 2

    def _histogram(self) -> tuple[tuple[float, ...], tuple[int, ...]]:
        residuals = np.concatenate(self._residuals)
        residuals = residuals[np.isfinite(residuals)]
        bins = int(np.clip(np.sqrt(residuals.size), 1, _MAX_BINS))
        counts, edges = np.histogram(residuals, bins=bins)
        return tuple(edges.tolist()), tuple(counts.tolist())


def _columns(values: Array) -> Array:
    """Return float64 values as rows of columns; what is no plain table becomes one column."""
    table = values.ndim == 2 and values.shape[1] <= _MAX_COLUMNS
    return values.astype(np.float64).reshape(-1, values.shape[1] if table else 1)


def _per_class(right: Array, predicted: Array, true: Array) -> dict[str, Any]:
    """Return precision, recall and F1, 0 where there is nothing to divide by, and support."""
    precision = right / np.maximum(predicted, 1)
    recall = right / np.maximum(true, 1)
    f1 = 2 * right / np.maximum(predicted + true, 1)
    return {
        "precision": tuple(precision.tolist()),
        "recall": tuple(recall.tolist()),
        "f1": tuple(f1.tolist()),
        "support": tuple(true.tolist()),
    }
