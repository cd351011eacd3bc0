"""Graphs: operations, merges, shared and nested models, several inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

Check = Callable[..., str]


def _numbers(random: np.random.Generator, *shape: int) -> Any:
    return random.normal(size=shape).astype("float32")


def test_operations_give_the_same(check_same: Check, random: np.random.Generator) -> None:
    a, b, image = keras.Input((5, 4)), keras.Input((5, 4)), keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3)(image)
    left, right = ops.split(a, 2, axis=-1)
    outputs = {
        "sums": a + b * 2 - 3 / (ops.square(b) + 1),
        "reflected": 2.0 - a,
        "negative": -a,
        "power": ops.abs(a) ** 1.5,
        "roots": ops.sqrt(ops.exp(a)) + ops.log1p(ops.abs(b)),
        "mean": ops.mean(x, axis=(1, 2), keepdims=True),
        "whole": ops.sum(a, axis=-1) + ops.max(b, axis=1)[:, :1],
        "spread": ops.var(a, axis=1) + ops.std(b, axis=1, keepdims=True)[:, 0],
        "least": ops.minimum(ops.maximum(a, 0), b),
        "clip": ops.clip(a, -0.5, 0.5),
        "where": ops.where(a > b, a, 0.0),
        "logic": ops.cast(ops.logical_and(a > 0, ops.logical_not(b >= 0)), "float32"),
        "slices": x[:, 1:-1, ::2],
        "index": x[..., 0] + x[:, :, :, -1],
        "new": a[:, None, :, 1:3],
        "joined": ops.concatenate([a, b], axis=1),
        "stack": ops.stack([a, b], axis=1),
        "parts": left * right,
        "product": ops.matmul(a, ops.transpose(b, (0, 2, 1))),
        "operator": a @ ops.swapaxes(b, 1, 2),
        "einsum": ops.einsum("bij,bkj->bik", a, b),
        "reshape": ops.reshape(x, (-1, 16, 4)),
        "axes": ops.squeeze(ops.expand_dims(a, 1), 1),
        "moved": ops.moveaxis(x, -1, 1),
        "softmax": ops.softmax(x, axis=1),
        "functions": ops.relu(a) + ops.gelu(b) + ops.leaky_relu(a) + ops.elu(b) + ops.silu(a),
        "largest": ops.cast(ops.argmax(a, axis=-1), "float32"),
        "unit": ops.normalize(a, axis=-1),
        "running": ops.cumsum(a, axis=1),
        "flipped": ops.flip(a, axis=1),
    }
    given = (_numbers(random, 2, *each.shape[1:]) for each in (a, b, image))
    check_same(keras.Model([a, b, image], outputs), *given)


def test_merges_give_the_same(check_same: Check, random: np.random.Generator) -> None:
    a, b, c = keras.Input((6, 5, 3)), keras.Input((6, 5, 3)), keras.Input((3,))
    x, y = layers.Conv2D(4, 3)(a), layers.Conv2D(4, 3)(b)
    scale = layers.Reshape((1, 1, 4))(layers.Dense(4, activation="sigmoid")(c))
    lines = layers.Reshape((30, 3))(a)
    outputs = {
        "add": layers.Add()([x, y, x]),
        "subtract": layers.Subtract()([x, y]),
        "multiply": layers.Multiply()([x, scale]),
        "average": layers.Average()([a, x[:, :1, :1, :3]]),
        "maximum": layers.Maximum()([x, y]),
        "minimum": layers.Minimum()([x, y]),
        "channels": layers.Concatenate()([x, y]),
        "rows": layers.Concatenate(axis=1)([x, y]),
        "mixed": layers.Concatenate(axis=-1)([a, layers.ZeroPadding2D(1)(x)]),
        "ranks": layers.Add()([lines, c]),
        "dot": layers.Dot(axes=1)([c, c]),
        "cosine": layers.Dot(axes=-1, normalize=True)([c, c]),
        "matrix": layers.Dot(axes=(2, 1))([lines, c]),
        "matrices": layers.Dot(axes=2)([lines, lines]),
    }
    given = (_numbers(random, 2, *each.shape[1:]) for each in (a, b, c))
    check_same(keras.Model([a, b, c], outputs), *given)


def test_shared_and_nested_models(check_same: Check, random: np.random.Generator) -> None:
    image = keras.Input((8, 8, 3))
    encoder = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, strides=2), layers.GlobalMaxPooling2D()],
        name="encoder",
    )
    inner = keras.Input((4,))
    heads = keras.Model(inner, {"a": layers.Dense(2)(inner), "b": [inner * 2]}, name="heads")
    first, second = keras.Input((8, 8, 3), name="first"), keras.Input((8, 8, 3), name="second")
    shared = layers.Dense(4, activation="relu", name="forward")
    x, y = shared(encoder(first)), shared(encoder(second))
    found = heads(x)
    model = keras.Model([first, second], [found["a"], found["b"][0] + y, encoder(image := first)])
    assert image is first
    given = _numbers(random, 2, 8, 8, 3), _numbers(random, 2, 8, 8, 3)
    text = check_same(model, *given)
    assert "class Encoder(nn.Module):" in text
    assert "self.encoder = Encoder()" in text


def test_inputs_in_a_dictionary(check_same: Check, random: np.random.Generator) -> None:
    inputs = {"b": keras.Input((3,), name="b"), "a": keras.Input((2,), name="a")}
    x = layers.Concatenate()([layers.Dense(2)(inputs["a"]), inputs["b"]])
    model = keras.Model(inputs, {"out": x, "in": inputs["a"]})
    check_same(model, {"a": _numbers(random, 4, 2), "b": _numbers(random, 4, 3)})


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_without_shapes(check_same: Check, random: np.random.Generator) -> None:
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    check_same(model, _numbers(random, 2, 12, 12, 1), file="model.h5")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("MobileNetV2", 32),
        ("MobileNetV3Small", 32),
        ("ResNet50", 32),
        ("DenseNet121", 32),
        ("Xception", 71),
        ("ConvNeXtTiny", 32),
        ("EfficientNetV2B0", 32),
        ("InceptionV3", 75),
    ],
)
def test_applications_of_keras(
    name: str, size: int, check_same: Check, random: np.random.Generator
) -> None:
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(size, size, 3), classes=7)
    check_same(model, random.uniform(0, 255, size=(2, size, size, 3)).astype("float32"))
