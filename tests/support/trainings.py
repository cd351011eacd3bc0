"""Small models and data for real trainings, and what comes of recording them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from modelkb_store import Experiment

SAMPLES = 96
FEATURES = 8
CLASSES = 3


@dataclass(frozen=True)
class Data:
    """Points in three clouds, with labels in every usual spelling."""

    x: np.ndarray[Any, Any]
    classes: np.ndarray[Any, Any]

    @property
    def one_hot(self) -> np.ndarray[Any, Any]:
        """Labels with a column for each class."""
        return np.eye(CLASSES, dtype="float32")[self.classes]

    @property
    def binary(self) -> np.ndarray[Any, Any]:
        """Whether a point is in the first cloud, as numbers 0 and 1 in one column."""
        return (self.classes == 0).astype("float32")[:, None]

    @property
    def numbers(self) -> np.ndarray[Any, Any]:
        """A target for regressions."""
        return (self.x.sum(axis=1, keepdims=True) * 3 + 1).astype("float32")


def sequential(units: int = CLASSES, activation: str | None = "softmax") -> keras.Model:
    """A Sequential model with dropout, so that a random draw too many would show."""
    return keras.Sequential(
        [
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(units, activation=activation),
        ]
    )


def functional(units: int = CLASSES, activation: str | None = "softmax") -> keras.Model:
    """A functional model with a branch and batch normalization."""
    inputs = keras.Input((FEATURES,), name="points")
    hidden = keras.layers.Dense(8, activation="relu")(inputs)
    normal = keras.layers.BatchNormalization()(hidden)
    joined = keras.layers.Add()([normal, hidden])
    outputs = keras.layers.Dense(units, activation=activation, name="scores")(joined)
    return keras.Model(inputs, outputs)


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):  # type: ignore[misc]
    """A subclassed model."""

    def __init__(self, units: int = CLASSES, activation: str | None = "softmax", **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activation
        self.hidden = keras.layers.Dense(8, activation="relu")
        self.dropout = keras.layers.Dropout(0.3)
        self.scores = keras.layers.Dense(units, activation=activation)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Score points."""
        return self.scores(self.dropout(self.hidden(inputs), training=training))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units, "activation": self.activation}


BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "sequential": sequential,
    "functional": functional,
    "subclassed": Subclassed,
}


@dataclass(frozen=True)
class Fitted:
    """A training with the callback, and what it recorded."""

    model: keras.Model
    history: dict[str, list[float]]
    experiment: Experiment


# The fixture `fit`: trains a model with a strict callback.
Fit = Callable[..., Fitted]


def compiled(
    model: keras.Model, loss: Any = "sparse_categorical_crossentropy", **kw: Any
) -> keras.Model:
    """Compile a model as most tests need it."""
    model.compile("adam", loss, **{"metrics": ["accuracy"], **kw})
    return model


def same_weights(first: keras.Model, second: keras.Model) -> bool:
    """Return whether two models have the same weights to the bit."""
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)
