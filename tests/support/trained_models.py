"""Small models of many kinds, trained for a moment and recorded, for those who try them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

from modelkb_callbacks import ModelKB

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WORDS = ["good film", "bad film", "very good", "very bad"]


class Doubling(layers.Layer):
    """A layer of the user's own."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


class OwnModel(keras.Model):
    """A model that Keras cannot serialize: its constructor takes what JSON cannot hold."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


class PlainModel(keras.Model):
    """A model as most write one: Keras serializes it, and its constructor cannot take all of it."""

    def __init__(self, units: int = 1) -> None:
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


def record_digits(store: Path, epochs: int = 6) -> str:
    """Train a convolutional network on the handwritten digits, and return the experiment's id."""
    keras.utils.set_random_seed(7)
    digits = load_digits()
    images = digits.images[..., None].astype("float32")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return _fit(model, images, digits.target, store, epochs, class_names=DIGITS)


def record_text(store: Path) -> str:
    """Train a model that takes texts and counts their words."""
    keras.utils.set_random_seed(7)
    texts = np.array(WORDS * 8)
    vectorization = layers.TextVectorization(output_mode="count")
    vectorization.adapt(texts)
    model = keras.Sequential(
        [keras.Input((), dtype="string"), vectorization, layers.Dense(1, activation="sigmoid")],
        name="reviews",
    )
    model.compile(keras.optimizers.Adam(0.3), "binary_crossentropy")
    labels = np.array([1, 0, 1, 0] * 8)
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((texts, labels)).batch(8)
    return _fit(model, data, None, store, 15, class_names=["bad", "good"])


def record_two_inputs(store: Path) -> str:
    """Train a model with two inputs by name, and two outputs: a number, and logits of classes."""
    keras.utils.set_random_seed(7)
    age, marks = keras.Input((), name="age"), keras.Input((3,), name="marks")
    joined = layers.Concatenate()([layers.Reshape((1,))(age), marks])
    outputs = {
        "price": layers.Dense(1, name="price")(joined),
        "size": layers.Dense(3, name="size")(joined),
    }
    model = keras.Model({"age": age, "marks": marks}, outputs, name="two")
    loss = {
        "price": "mse",
        "size": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    }
    model.compile("adam", loss)
    x = {"age": np.arange(12.0, dtype="float32"), "marks": np.ones((12, 3), "float32")}
    y = {"price": np.ones((12, 1), "float32"), "size": np.arange(12) % 3}
    return _fit(model, x, y, store, 1)


def record_own_layer(store: Path) -> str:
    """Train a model with a layer of the user's own."""
    model = keras.Sequential([keras.Input((2,)), Doubling(), layers.Dense(1)], name="doubling")
    model.compile("sgd", "mse")
    return _fit(model, np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), store, 1)


def record_plain_model(store: Path) -> str:
    """Train a model of the user's own class, which Keras serializes and cannot make again."""
    model = PlainModel(units=1)
    model.compile("sgd", "mse")
    return _fit(model, np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), store, 1)


def record_lambda(store: Path) -> str:
    """Train a model with a Lambda layer, whose code is in the model's configuration."""
    model = keras.Sequential(
        [keras.Input((2,)), layers.Lambda(lambda x: x + 1.0), layers.Dense(1)], name="adding"
    )
    model.compile("sgd", "mse")
    return _fit(model, np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), store, 1)


def record_own_model(store: Path) -> str:
    """Train a model of the user's own class, which has no configuration."""
    model = OwnModel(1)
    model.compile("sgd", "mse")
    return _fit(model, np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), store, 1)


def _fit(
    model: Any, x: Any, y: Any, store: Path, epochs: int, class_names: list[str] | None = None
) -> str:
    recorder = ModelKB(
        project="tried", store=str(store), class_names=class_names, checkpoints="best"
    )
    given = {} if y is None else {"y": y, "batch_size": 64}
    model.fit(x, **given, epochs=epochs, verbose=0, callbacks=[recorder])
    assert recorder.experiment_id is not None
    return recorder.experiment_id
