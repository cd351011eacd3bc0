from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from modelkb_callbacks.datasets.canonical_rows import canonical_rows
from modelkb_callbacks.datasets.class_counter import MAX_CLASSES, ClassCounter, label_forms

LABELS = np.array([0, 2, 2, 1, 0, 2])


def model(loss: Any, **compile_settings: Any) -> keras.Model:
    built = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    built.compile("sgd", loss, **compile_settings)
    return built


def counts_of(loss: Any, *batches: Any, at_least: int = 0, **settings: Any) -> Any:
    counter = ClassCounter(label_forms(model(loss, **settings)))
    for labels in batches:
        counter.add(canonical_rows(np.asarray(labels)))
    return counter.counts(at_least)


@pytest.mark.parametrize(
    ("loss", "labels", "expected"),
    [
        ("sparse_categorical_crossentropy", LABELS, (2, 1, 3)),
        ("sparse_categorical_crossentropy", LABELS[:, None].astype("float32"), (2, 1, 3)),
        ("categorical_crossentropy", np.eye(4)[LABELS], (2, 1, 3, 0)),
        ("binary_crossentropy", (LABELS > 0).astype("float32")[:, None], (2, 4)),
        ("binary_crossentropy", np.eye(2)[LABELS % 2], (5, 1)),
        (None, LABELS, (2, 1, 3)),
        (None, np.eye(3)[LABELS], (2, 1, 3)),
        (lambda y, p: keras.ops.mean(p - y), LABELS, (2, 1, 3)),
        # Not classes, or not of one sample.
        ("mse", LABELS, None),
        ("mse", LABELS.astype("float32"), None),
        (None, LABELS.astype("float32"), None),
        ("sparse_categorical_crossentropy", LABELS + 0.5, None),
        ("sparse_categorical_crossentropy", LABELS - 1, None),
        ("sparse_categorical_crossentropy", LABELS + MAX_CLASSES, None),
        ("sparse_categorical_crossentropy", np.array([0.0, np.nan]), None),
        ("sparse_categorical_crossentropy", np.zeros((6, 4), dtype=int), None),
        ("categorical_crossentropy", np.full((6, 4), 0.25), None),
        ("binary_crossentropy", np.array([0.2, 0.9]), None),
        ("binary_crossentropy", np.array([[1, 1, 0], [0, 1, 0]]), None),
        ("sparse_categorical_crossentropy", np.array(["cat", "dog"]), None),
    ],
)
def test_labels_of_each_kind(loss: Any, labels: Any, expected: Any) -> None:
    assert counts_of(loss, labels) == expected


def test_a_classifier_trained_on_squares() -> None:
    assert counts_of("mse", np.eye(3)[LABELS], metrics=["accuracy"]) == (2, 1, 3)


def test_batches_add_up_and_one_that_is_no_class_takes_all_with_it() -> None:
    loss = "sparse_categorical_crossentropy"
    assert counts_of(loss, LABELS, LABELS[:2], at_least=5) == (3, 1, 4, 0, 0)
    assert counts_of(loss, LABELS, [-1], LABELS) is None
    assert counts_of(loss) is None


def test_the_loss_of_an_unknown_model_is_unknown() -> None:
    assert label_forms(None) == ("integers", "columns")
