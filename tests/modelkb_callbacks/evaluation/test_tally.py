"""Figures counted batch by batch equal scikit-learn's over the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn import metrics

from modelkb_callbacks.evaluation.tally import ConfusionTally, MultilabelTally, RegressionTally

CLASSES = 4
class_numbers = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        npst.arrays("int64", n, elements=st.integers(0, CLASSES - 1)),
        npst.arrays("int64", n, elements=st.integers(0, CLASSES - 1)),
    )
)
numbers = st.floats(-1e6, 1e6, width=32)


def in_batches(tally: Any, labels: Any, predictions: Any, size: int = 7) -> dict[str, Any]:
    for start in range(0, len(labels), size):
        tally.add(labels[start : start + size], predictions[start : start + size])
    figures: dict[str, Any] = tally.figures()
    return figures


@given(class_numbers)
def test_confusion(pair: tuple[Any, Any]) -> None:
    true, predicted = pair
    figures = in_batches(ConfusionTally(CLASSES), true, predicted)
    labels = range(CLASSES)
    expected = metrics.confusion_matrix(true, predicted, labels=labels)
    assert np.array_equal(figures["confusion_matrix"], expected)
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(true, predicted))
    by_class = metrics.precision_recall_fscore_support(
        true, predicted, labels=labels, zero_division=0
    )
    for name, values in zip(("precision", "recall", "f1", "support"), by_class, strict=True):
        assert np.allclose(figures[name], values), name


def test_confusion_of_scores_and_one_hot_labels() -> None:
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]], dtype="float32")
    one_hot = np.array([[0, 1], [0, 1], [1, 0]], dtype="float32")
    figures = in_batches(ConfusionTally(2), one_hot, scores)
    assert figures["confusion_matrix"] == ((0, 1), (1, 1))


def test_labels_outside_the_classes_are_not_counted() -> None:
    figures = in_batches(ConfusionTally(2), np.array([0, -1, 1, 5]), np.array([0, 0, 0, 1]))
    assert figures["confusion_matrix"] == ((1, 0), (1, 0))


def test_labels_of_minus_one_and_one() -> None:
    tally = ConfusionTally(2, threshold=0.0)
    figures = in_batches(tally, np.array([-1.0, 1.0, 1.0]), np.array([-0.3, 2.0, -1.0]))
    assert figures["confusion_matrix"] == ((1, 0), (1, 1))


def test_too_many_classes_for_a_matrix() -> None:
    with pytest.raises(ValueError, match="5000 classes"):
        ConfusionTally(5000)


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            npst.arrays("bool", (n, 3)),
            npst.arrays("float32", (n, 3), elements=st.floats(0, 1, width=32)),
        )
    )
)
def test_multilabel(pair: tuple[Any, Any]) -> None:
    true, scores = pair
    figures = in_batches(MultilabelTally(3, 0.5), true.astype("float32"), scores)
    expected = metrics.precision_recall_fscore_support(true, scores > 0.5, zero_division=0)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert np.allclose(figures[name], values), name


@given(
    st.tuples(st.integers(2, 40), st.integers(1, 3)).flatmap(
        lambda shape: st.tuples(
            npst.arrays("float64", shape, elements=numbers),
            npst.arrays("float64", shape, elements=numbers),
        )
    )
)
def test_regression(pair: tuple[Any, Any]) -> None:
    true, predicted = pair
    figures = in_batches(RegressionTally(), true, predicted)
    absolute = metrics.mean_absolute_error(true, predicted)
    assert figures["mae"] == pytest.approx(absolute, abs=1e-9)
    rmse = metrics.root_mean_squared_error(true, predicted)
    assert figures["rmse"] == pytest.approx(rmse, abs=1e-9)
    # Where labels hardly vary, both ways of computing it divide rounding errors.
    if (np.ptp(true, axis=0) > 1e-3 * np.abs(true).max(axis=0)).all():
        assert figures["r2"] == pytest.approx(metrics.r2_score(true, predicted), rel=1e-6, abs=1e-6)
    assert sum(figures["residual_counts"]) == true.size


def test_regression_of_labels_that_do_not_vary() -> None:
    constant = np.full((5, 1), 2.0)
    assert in_batches(RegressionTally(), constant, constant)["r2"] == 1.0
    assert in_batches(RegressionTally(), constant, constant + 1)["r2"] == 0.0


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    random = np.random.default_rng(0)
    true = 1e9 + random.normal(size=(1000, 1))
    predicted = true + random.normal(size=(1000, 1)) * 0.1
    figures = in_batches(RegressionTally(), true, predicted)
    assert figures["r2"] == pytest.approx(metrics.r2_score(true, predicted), abs=1e-6)
