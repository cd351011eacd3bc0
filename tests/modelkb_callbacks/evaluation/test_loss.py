"""What is read from a loss."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from modelkb_callbacks.evaluation.loss import Loss, loss_of_output


def compiled_with(loss: Any, **options: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss, **options)
    return model


def custom(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("sparse_categorical_crossentropy", Loss("sparse")),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), Loss("sparse", True)),
        (keras.losses.CategoricalFocalCrossentropy(), Loss("categorical")),
        (keras.losses.CategoricalHinge(), Loss("categorical")),
        ("binary_crossentropy", Loss("binary")),
        (keras.losses.BinaryCrossentropy(from_logits=True), Loss("binary", True)),
        (keras.losses.binary_crossentropy, Loss("binary")),
        ("hinge", Loss("hinge")),
        ("mse", Loss("regression")),
        (keras.losses.MeanSquaredError(), Loss("regression")),
        (keras.losses.Huber(), Loss("regression")),
        (custom, Loss(None)),
        (None, Loss(None)),
    ],
)
def test_family(loss: Any, expected: Loss) -> None:
    assert loss_of_output(compiled_with(loss), "dense", 0) == expected


def test_squared_errors_of_a_model_that_counts_right_answers_say_nothing() -> None:
    model = compiled_with("mse", metrics=["accuracy"])
    assert loss_of_output(model, "dense", 0) == Loss(None)


def test_losses_by_name_and_by_place() -> None:
    assert loss_of_output(compiled_with({"dense": "mse"}), "dense", 5) == Loss("regression")
    assert loss_of_output(compiled_with(["mse"]), "other", 0) == Loss("regression")
