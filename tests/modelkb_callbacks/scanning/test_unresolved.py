"""What is one of several is left open, and an entry names the alternatives."""

from __future__ import annotations

import pytest

from scanned import scanned

_START = """
import sys
import keras
from keras.callbacks import *
from keras.layers import *
from keras.metrics import *
from keras.optimizers import *
model = keras.Sequential()
i = keras.Input((4, 1))
more = len(sys.argv) > 1
"""

OPEN: dict[str, tuple[str, list[str]]] = {
    "optimizer and rate": (
        "model.compile(SGD(0.1) if more else Adam(0.2), 'mse')",
        ["one of several: SGD, Adam", "one of several: 0.1, 0.2"],
    ),
    "optimizer of a chain": (
        "def train(name):\n    if name == 'a':\n        opt = SGD(0.1)\n"
        "    elif name == 'b':\n        opt = Adam()\n    model.compile(opt, 'mse')",
        ["one of several: SGD, Adam", "one of several: 0.1, None"],
    ),
    "loss": ("model.compile('sgd', 'mse' if more else 'mae')", ["one of several: 'mse', 'mae'"]),
    "metric": (
        "model.compile('sgd', metrics=[AUC() if more else Mean(), 'acc'])",
        ["one of several: AUC, Mean"],
    ),
    "numbers of fit": (
        "model.fit(x, epochs=3 if more else 4, batch_size=f() or 8, validation_split=.1 or 0)",
        ["one of several: 3, 4", "one of several: something unknown, 8"],
    ),
    "callback": (
        "model.fit(x, callbacks=[TerminateOnNaN() if more else EarlyStopping()])",
        ["one of several: TerminateOnNaN, EarlyStopping"],
    ),
    "from call to call": (
        "def train(rate, metrics, epochs, callbacks):\n"
        "    model.compile(SGD(rate), 'mse', metrics)\n"
        "    model.fit(x, epochs=epochs, callbacks=callbacks)\n"
        "train(0.1, ['a'], 10, [])\ntrain(0.2, ['b'], 1000, [EarlyStopping()])",
        [
            "different from call to call: 0.1, 0.2",
            "different from call to call: ['a'], ['b']",
            "different from call to call: 10, 1000",
            "different from call to call: [], ['EarlyStopping']",
        ],
    ),
    "dataset": (
        "from keras.datasets import cifar10, mnist\n(mnist if more else cifar10).load_data()",
        ["one of several: keras.datasets.cifar10.load_data, keras.datasets.mnist.load_data"],
    ),
    "layer of a list": (
        "cell = LSTM if more else GRU\nkeras.Sequential([cell(3), Dense(1)])",
        ["one of several layers: GRU, LSTM"],
    ),
    "layer of a functional model": (
        "cell = {'a': LSTM, 'b': GRU}[sys.argv[1]]\nkeras.Model(i, Dense(1)(cell(3)(i)))",
        ["one of several layers: GRU, LSTM"],
    ),
    "layer of a class": (
        "class Net(keras.Model):\n    def __init__(self):\n"
        "        self.cell = (LSTM if more else GRU)(8)\nNet()",
        ["one of several layers: GRU, LSTM"],
    ),
    "layer from call to call": (
        "def build(drop):\n    net = keras.Sequential([Dense(2), drop(0.5)])\n"
        "build(Dropout)\nbuild(AlphaDropout)",
        ["one of several layers: AlphaDropout, Dropout"],
    ),
    "unknown element": (
        "net = keras.Sequential([getattr(keras.layers, sys.argv[1])(3)])\nnet.add(f())",
        ["layers known only in a run: the result of a call that is not followed"] * 2,
    ),
    "unknown elements": (
        "keras.Sequential(f())",
        ["layers known only in a run: the result of a call that is not followed"],
    ),
    "unknown function of a tensor": (
        "keras.Model(i, getattr(keras.layers, sys.argv[1])(3)(i))",
        ["a layer known only in a run: the result of a call that is not followed"],
    ),
}


@pytest.mark.parametrize(("source", "expected"), OPEN.values(), ids=OPEN)
def test_alternatives_are_named(source: str, expected: list[str]) -> None:
    found = scanned(_START + source)

    assert [each.reason for each in found.unresolved] == expected
    assert all(each.expression and each.line > 10 for each in found.unresolved)


def test_the_expression_is_that_of_the_layer() -> None:
    found = scanned(_START + "cell = LSTM if more else GRU\nkeras.Model(i, cell(3)(i))")

    assert [each.expression for each in found.unresolved] == ["cell(3)"]


def test_an_application_of_a_condition_has_its_name() -> None:
    source = "from keras import applications as a\nbase = (a.VGG16 if more else a.Xception)()"

    assert [each.name for each in scanned(_START + source).models[1:]] == ["base"]
