"""Warnings: each where it belongs, and none where it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelkb_callbacks.scanning.checks import CODES
from scanned import scanned

_START = """
import keras, random
import numpy as np
import tensorflow as tf
from keras.layers import *
from sklearn.model_selection import KFold, train_test_split
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
"""
_MODEL = "model = keras.Sequential([Flatten(), Dense({last})])\nmodel.compile('adam', {loss})\n"


def model(last: str, loss: str) -> str:
    return _MODEL.format(last=last, loss=loss)


_SOFTMAX = model("10, activation='softmax'", "'sparse_categorical_crossentropy'")

WARNED = {
    "test split": (
        "test-as-validation",
        "model = keras.Sequential()\nmodel.fit(x_train, y_train, validation_data=(x_test, y_test))",
    ),
    "test split, changed": (
        "test-as-validation",
        "def ready(a):\n    return np.expand_dims(a / 255, -1)\nmodel = keras.Sequential()\n"
        "model.fit(ready(x_train), y_train, validation_data=(ready(x_test), y_test))",
    ),
    "test split as a dataset": (
        "test-as-validation",
        "import tensorflow_datasets as tfds\ntest = tfds.load('cats', split='test').batch(8)\n"
        "model = keras.Sequential()\nmodel.fit(x_train, validation_data=test)",
    ),
    "test set by its name": (
        "test-as-validation",
        "a_train, a_test, b_train, b_test = train_test_split(load(), load(), random_state=1)\n"
        "model = keras.Sequential()\n"
        "model.fit(a_train, b_train, validation_data=(a_test, b_test))\n"
        "model.evaluate(a_test, b_test)",
    ),
    "split without a seed": ("unseeded-split", "train_test_split(x_train, y_train, test_size=0.2)"),
    "split with the seed None": ("unseeded-split", "train_test_split(x_train, random_state=None)"),
    "folds without a seed": ("unseeded-split", "KFold(5, shuffle=True)"),
    "numpy shuffle": ("unseeded-shuffle", "order = np.arange(9)\nnp.random.shuffle(order)"),
    "permutation": ("unseeded-shuffle", "x_train = x_train[np.random.permutation(9)]"),
    "python shuffle": ("unseeded-shuffle", "rows = list(range(9))\nrandom.shuffle(rows)"),
    "dataset shuffle": (
        "unseeded-shuffle",
        "tf.data.Dataset.from_tensor_slices(x_train).shuffle(100).batch(8)",
    ),
    "softmax over one": ("loss-activation", model("1, activation='softmax'", "'mse'")),
    "one sigmoid for classes": (
        "loss-activation",
        model("1, activation='sigmoid'", "'categorical_crossentropy'"),
    ),
    "softmax for yes and no": (
        "loss-activation",
        model("3, activation='softmax'", "keras.losses.BinaryCrossentropy()"),
    ),
    "relu for probabilities": (
        "loss-activation",
        model("1, activation='relu'", "'binary_crossentropy'"),
    ),
    "class numbers": (
        "loss-labels",
        model("10, 'softmax'", "'categorical_crossentropy'") + "model.fit(x_train, y_train)",
    ),
    "one-hot": (
        "loss-labels",
        _SOFTMAX + "y_train = keras.utils.to_categorical(y_train, 10)\nmodel.fit(x_train, y_train)",
    ),
    "softmax and logits": (
        "from-logits",
        model(
            "10, activation=tf.nn.softmax",
            "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        ),
    ),
    "sigmoid layer and logits": (
        "from-logits",
        "i = keras.Input((4,))\nnet = keras.Model(i, Activation('sigmoid')(Dense(1)(i)))\n"
        "net.compile('adam', keras.losses.BinaryCrossentropy(from_logits=True))",
    ),
    "neither softmax nor logits": ("from-logits", model("10", "'sparse_categorical_crossentropy'")),
    "accuracy of a regression": ("metric-task", model("1", "'mse', ['accuracy']")),
    "the Accuracy class": (
        "metric-task",
        model(
            "10, activation='softmax'",
            "'sparse_categorical_crossentropy', [keras.metrics.Accuracy()]",
        ),
    ),
    "error of classes": (
        "metric-task",
        model("10, activation='softmax'", "'sparse_categorical_crossentropy', metrics=['mae']"),
    ),
    "labels of two forms": (
        "metric-task",
        model(
            "10, activation='softmax'",
            "'categorical_crossentropy', metrics=[keras.metrics.SparseCategoricalAccuracy()]",
        ),
    ),
}


@pytest.mark.parametrize(("code", "source"), WARNED.values(), ids=WARNED)
def test_warned(code: str, source: str) -> None:
    warnings = scanned(_START + source).warnings

    assert [warning.code for warning in warnings] == [code]
    assert warnings[0].line > _START.count("\n")


FINE = {
    "validation split": "keras.Sequential().fit(x_train, y_train, validation_split=0.1)",
    "part of the training data": (
        "keras.Sequential().fit(x_train[:-99], validation_data=(x_train[-99:], y_train[-99:]))"
    ),
    "part of the test data": (
        "x_val, x_test = x_test[:500], x_test[500:]\n"
        "keras.Sequential().fit(x_train, validation_data=(x_val, y_test[:500]))"
    ),
    "split of its own": (
        "a, b = train_test_split(x_train, random_state=3)\n"
        "keras.Sequential().fit(a, validation_data=b)"
    ),
    "test only evaluated": "m = keras.Sequential()\nm.fit(x_train)\nm.evaluate(x_test, y_test)",
    "seed set": "keras.utils.set_random_seed(1)\n"
    "np.random.shuffle(x_train)\n"
    "train_test_split(x_train)",
    "seed of a function": "from ours import seed_everything\n"
    "seed_everything(1)\n"
    "np.random.shuffle(x_train)",
    "seed of the shuffle": "tf.data.Dataset.from_tensor_slices(x_train).shuffle(9, seed=1)",
    "split in order": "train_test_split(x_train, shuffle=False)",
    "folds in order": "KFold(5)",
    "softmax and classes": _SOFTMAX + "model.fit(x_train, y_train)",
    "logits": model("10", "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
    "one sigmoid": model("1, activation='sigmoid'", "'binary_crossentropy', metrics=['accuracy']"),
    "many labels": model("5, activation='sigmoid'", "'binary_crossentropy'"),
    "softmax layer": (
        "model = keras.Sequential([Dense(10), Activation('softmax')])\n"
        "model.compile('adam', 'categorical_crossentropy', ['accuracy'])"
    ),
    "cast after softmax": (
        "i = keras.Input((4,))\no = Activation('linear', dtype='float32')(Softmax()(Dense(3)(i)))\n"
        "keras.Model(i, o).compile('adam', 'categorical_crossentropy')"
    ),
    "activation in a variable": "from ours import last\n"
    + model("10, activation=last", "'categorical_crossentropy'"),
    "own loss": "def ours(a, b):\n    return a\n" + model("1, activation='softmax2'", "ours"),
    "softmax of squares": model("10, activation='softmax'", "'mse', metrics=['accuracy']"),
    "regression": model("1", "'mse', metrics=['mae']"),
    "one-hot in another way": (
        model("10, activation='softmax'", "'categorical_crossentropy'")
        + "y_train = np.eye(10)[y_train]\nmodel.fit(x_train, y_train)"
    ),
    "one-hot undone": (
        "y_train = np.argmax(keras.utils.to_categorical(y_train), 1)\n"
        + _SOFTMAX
        + "model.fit(x_train, y_train)"
    ),
    "reconstruction": (
        "m = keras.Sequential([Dense(784, activation='sigmoid')])\n"
        "m.compile('adam', 'binary_crossentropy', ['mae'])\nm.fit(x_train, x_train)"
    ),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_fine(source: str) -> None:
    assert scanned(_START + source).warnings == ()


def test_a_message_names_what_is_wrong_and_where() -> None:
    source = _START + "keras.Sequential().fit(x_train, validation_data=(x_test, y_test))"

    (warning,) = scanned(source).warnings

    assert warning.line == 8
    assert warning.message == (
        "validation_data is the test split of mnist (line 7): what is chosen by it is no longer "
        "tested by it"
    )


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# modelkb: ignore", True),
        ("# modelkb: ignore[unseeded-split]", True),
        ("# because: see above  #modelkb:ignore[loss-labels, unseeded-split]", True),
        ("# modelkb: ignore[unseeded-shuffle]", False),
        ("# ignore", False),
    ],
)
def test_a_comment_on_the_line_silences(comment: str, silent: bool) -> None:
    found = scanned(f"{_START}train_test_split(\n    x_train  {comment}\n)")

    assert [warning.code for warning in found.warnings] == ([] if silent else ["unseeded-split"])


def test_a_comment_anywhere_silences_the_file() -> None:
    source = f"{_START}train_test_split(x_train)\nnp.random.shuffle(x_train)\n"

    found = scanned(source + "# modelkb: ignore-file[unseeded-split]")
    assert [warning.code for warning in found.warnings] == ["unseeded-shuffle"]
    assert scanned(source + "# modelkb: ignore-file").warnings == ()


def test_every_code_is_tried_and_in_the_readme() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")

    assert {code for code, _ in WARNED.values()} == set(CODES)
    assert set(re.findall(r"^\| `([a-z-]+)` \|", readme, re.MULTILINE)) >= set(CODES)
