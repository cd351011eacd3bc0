"""Hyperparameters, with their source and as people wrote them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from modelkb_callbacks.hyperparameters import shortest_float
from trainings import Data, Fit, compiled, sequential


def recorded(fit: Fit, data: Data, **options: Any) -> dict[str, Any]:
    model = sequential()
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **options})
    return fit(model, data.x, data.classes, batch_size=24, epochs=1).experiment.hyperparameters()


def test_of_fit_and_of_compile(data: Data, fit: Fit) -> None:
    optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
    found = recorded(fit, data, optimizer=optimizer)
    assert found["optimizer"] == "SGD"
    assert found["learning_rate"] == 0.01
    assert found["optimizer.momentum"] == 0.9
    assert found["optimizer.nesterov"] is True
    assert found["loss"] == "sparse_categorical_crossentropy"
    assert (found["epochs"], found["batch_size"], found["shuffle"]) == (1, 24, True)


def test_source_of_each(data: Data, fit: Fit) -> None:
    fitted = fit(compiled(sequential()), data.x, data.classes, settings={"params": {"width": 8}})
    rows = fitted.experiment.table("hyperparameters").to_pylist()
    sources = {row["name"]: row["source"] for row in rows}
    assert (sources["epochs"], sources["optimizer"], sources["width"]) == (
        "fit",
        "compile",
        "user",
    )


def test_learning_rate_schedule(data: Data, fit: Fit) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.96)
    found = recorded(fit, data, optimizer=keras.optimizers.Adam(schedule))
    assert found["learning_rate"]["class_name"] == "ExponentialDecay"
    assert found["learning_rate"]["config"]["initial_learning_rate"] == 0.1


def test_a_loss_of_the_users_own(data: Data, fit: Fit) -> None:
    def gentle(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_pred) + 0 * keras.ops.mean(keras.ops.cast(y_true, "float32"))

    assert recorded(fit, data, loss=gentle)["loss"] == "gentle"


def test_batch_size_of_a_dataset_is_not_guessed(data: Data, fit: Fit) -> None:
    dataset = tf.data.Dataset.from_tensor_slices((data.x, data.classes)).batch(12)
    fitted = fit(compiled(sequential()), dataset, epochs=1)
    assert "batch_size" not in fitted.experiment.hyperparameters()


def test_numpy_values_and_words_that_only_look_like_secrets(data: Data, fit: Fit) -> None:
    own = {"rate": np.float32(0.5), "sizes": np.array([1, 2]), "max_tokens": 128, "what": object}
    fitted = fit(compiled(sequential()), data.x, data.classes, settings={"params": own})
    found = fitted.experiment.hyperparameters()
    assert (found["rate"], found["sizes"], found["max_tokens"]) == (0.5, [1, 2], 128)
    assert found["what"] == "<class 'object'>"
    rows = fitted.experiment.table("hyperparameters").to_pylist()
    assert {row["name"]: row["number"] for row in rows}["rate"] == 0.5


@given(st.floats(width=32, allow_nan=False))
def test_shortest_float_is_the_same_float32_and_never_longer(value: float) -> None:
    short = shortest_float(value)
    assert np.float32(short) == np.float32(value)
    assert len(repr(short)) <= len(repr(value))


@given(st.floats(0, 1, allow_nan=False))
def test_shortest_float_leaves_a_float64_alone(value: float) -> None:
    if float(np.float32(value)) != value:
        assert shortest_float(value) == value
