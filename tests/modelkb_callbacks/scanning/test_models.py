"""Models and their layers, each place of the source once."""

from __future__ import annotations

from textwrap import dedent

import pytest

from scanned import reasons, scanned

Model = tuple[str, str | None, str]

_START = """
import keras
from keras import layers
from keras.layers import *
from keras.models import Model, Sequential
"""

MODELS: dict[str, tuple[str, list[Model]]] = {
    "list": (
        "net = Sequential([Input((4,)), Dense(8), Dropout(0.1), Dense(2)], name='small')",
        [("sequential", "small", "Dense Dropout Dense")],
    ),
    "add": (
        "net = Sequential()\nnet.add(Conv2D(4, 3))\nnet.add(Flatten())\nnet.add(Dense(1))",
        [("sequential", "net", "Conv2D Flatten Dense")],
    ),
    "add in a loop": (
        "net = Sequential()\n"
        "for n in (8, 4):\n"
        "    net.add(Dense(n))\n"
        "    net.add(ReLU())\n"
        "net.add(Dense(1))",
        [("sequential", "net", "Dense ReLU Dense")],
    ),
    "list in a variable": (
        "stack = [Dense(8)]\n"
        "stack += [Dropout(0.1)]\n"
        "stack.append(Dense(1))\n"
        "net = Sequential(stack)",
        [("sequential", "net", "Dense Dropout Dense")],
    ),
    "comprehension and star": (
        "hidden = [Dense(n) for n in (8, 4)]\nnet = Sequential([Flatten(), *hidden, Dense(1)])",
        [("sequential", "net", "Flatten Dense Dense")],
    ),
    "layers made before": (
        "last = Dense(1)\nfirst = LSTM(4)\nnet = Sequential([first, last])",
        [("sequential", "net", "LSTM Dense")],
    ),
    "class in a variable": (
        "RNN_ = layers.GRU\nnet = Sequential([RNN_(4), Dense(1)])",
        [("sequential", "net", "GRU Dense")],
    ),
    "class in a dictionary": (
        "cells = {'lstm': LSTM, 'gru': GRU}\nnet = Sequential([cells['lstm'](4)])",
        [("sequential", "net", "LSTM")],
    ),
    "partial": (
        "from functools import partial\n"
        "Conv = partial(Conv2D, kernel_size=3)\n"
        "net = Sequential([Conv(4)])",
        [("sequential", "net", "Conv2D")],
    ),
    "wrapper in a Sequential": (
        "net = Sequential([Bidirectional(LSTM(4)), Dense(1)])",
        [("sequential", "net", "Bidirectional Dense")],
    ),
    "layers by an argument": (
        "def build(deep):\n"
        "    net = Sequential([Flatten()])\n"
        "    if deep:\n"
        "        net.add(GRU(2))\n"
        "    else:\n        net.add(LSTM(2))\n    net.add(Dense(1))\n    return net\n"
        "build(True)\nbuild(False)",
        [("sequential", "net", "Flatten GRU LSTM Dense")],
    ),
    "model in a model": (
        "grow = Sequential([RandomFlip()], name='grow')\nnet = Sequential([grow, Dense(1)])",
        [("sequential", "grow", "RandomFlip"), ("sequential", "net", "Sequential Dense")],
    ),
    "old spellings": (
        "net = Sequential()\n"
        "net.add(Convolution2D(64, 3, 3, border_mode='same'))\n"
        "net.add(Dense(output_dim=1))",
        [("sequential", "net", "Convolution2D Dense")],
    ),
    "in branches": (
        "if deep():\n"
        "    net = Sequential([Dense(8), Dense(1)])\n"
        "else:\n"
        "    net = Sequential([Dense(1)])",
        [("sequential", "net", "Dense Dense"), ("sequential", "net", "Dense")],
    ),
    "in the branch not taken": (
        "KIND = 'b'\n"
        "if KIND == 'a':\n"
        "    net = Sequential()\n"
        "    net.add(GRU(2))\n"
        "else:\n"
        "    net = Sequential([LSTM(2)])",
        [("sequential", "net", "GRU"), ("sequential", "net", "LSTM")],
    ),
    "functional": (
        "i = Input((4,))\nx = Dense(8)(i)\nx = Dropout(0.1)(x)\nnet = Model(i, Dense(1)(x))",
        [("functional", "net", "Dense Dropout Dense")],
    ),
    "functional, old names": (
        "i = Input((4,))\nnet = Model(input=i, output=Dense(1)(i))",
        [("functional", "net", "Dense")],
    ),
    "two outputs": (
        "i = Input((4,))\n"
        "x = Dense(8)(i)\n"
        "a, b = Dense(1)(x), Dense(2)(x)\n"
        "net = Model(i, {'a': a, 'b': b})",
        [("functional", "net", "Dense Dense Dense")],
    ),
    "only what leads to the output": (
        "i = Input((4,))\nx = Dense(8)(i)\nunused = LSTM(3)(x)\nnet = Model(i, Flatten()(x))",
        [("functional", "net", "Dense Flatten")],
    ),
    "operators": (
        "a, b = Input((4,)), Input((4,))\n"
        "x = layers.add([a, b])\n"
        "x = concatenate([x, a])\n"
        "x = x + b\n"
        "net = Model([a, b], x)",
        [("functional", "net", "Add Concatenate")],
    ),
    "through other libraries": (
        "import tensorflow as tf\n"
        "i = Input((4,))\n"
        "x = tf.nn.relu(Dense(8)(i))\n"
        "net = Model(i, Dense(1)(x * 2))",
        [("functional", "net", "Dense Dense")],
    ),
    "helper functions, in the order of the text": (
        "def block(x, n):\n    x = Conv2D(n, 3)(x)\n    return BatchNormalization()(x)\n"
        "i = Input((8, 8, 1))\n"
        "x = Rescaling(1.0)(i)\n"
        "x = block(x, 8)\n"
        "x = block(x, 16)\n"
        "net = Model(i, Dense(1)(x))",
        [("functional", "net", "Conv2D BatchNormalization Rescaling Dense")],
    ),
    "builder": (
        "def build(depth=2):\n"
        "    i = Input((4,))\n"
        "    x = i\n"
        "    for _ in range(depth):\n"
        "        x = Dense(8)(x)\n"
        "    return Model(i, Dense(1)(x), name='deep')\nmodel = build()",
        [("functional", "deep", "Dense Dense")],
    ),
    "builder that nothing calls": (
        "def build(inputs):\n    return Model(inputs, Dense(1)(inputs))",
        [("functional", None, "Dense")],
    ),
    "wrapper in a functional model": (
        "i = Input((4, 1))\nnet = Model(i, Bidirectional(LSTM(4))(i))",
        [("functional", "net", "Bidirectional LSTM")],
    ),
    "model called in a model": (
        "core = Sequential([Dense(1)])\ni = Input((4,))\nnet = Model(i, core(Flatten()(i)))",
        [("sequential", "core", "Dense"), ("functional", "net", "Flatten")],
    ),
    "on top of an application": (
        "base = keras.applications.VGG16(include_top=False)\n"
        "x = GlobalAveragePooling2D()(base.output)\n"
        "net = Model(base.input, Dense(2)(x))",
        [("application", "base", ""), ("functional", "net", "GlobalAveragePooling2D Dense")],
    ),
    "subclass": (
        "class Net(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.a = Dense(8)\n"
        "        self.b = Dense(1)\n    def build(self, shape):\n        self.c = Dropout(0.1)\n"
        "    def call(self, x):\n        return self.b(self.c(self.a(x)))\nnet = Net()",
        [("subclass", "Net", "Dense Dense Dropout")],
    ),
    "subclass of a subclass": (
        "class Base(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.head = self.make_head()\n"
        "    def make_head(self):\n        return Dense(1)\n"
        "class Other(Base):\n"
        "    def make_head(self):\n"
        "        return Conv2D(1, 1)\n"
        "Other()\n"
        "Base()",
        [("subclass", "Base", "Dense"), ("subclass", "Other", "Conv2D")],
    ),
    "subclass that is never made": (
        "class Net(Model):\n"
        "    def __init__(self, n):\n"
        "        super().__init__()\n"
        "        self.rows = [Dense(n) for _ in range(3)]",
        [("subclass", "Net", "Dense")],
    ),
    "layers of a layer": (
        "class Block(layers.Layer):\n    def __init__(self):\n        super().__init__()\n"
        "        self.inner = Sequential([Dense(4), Dense(4)])\n"
        "    def call(self, x):\n"
        "        return self.inner(x)\n"
        "i = Input((4,))\nnet = Model(i, Dense(1)(Block()(i)))",
        [("functional", "net", "Dense Block")],
    ),
    "subclass called as a functional model": (
        "class Net(keras.Model):\n    def train_step(self, data):\n        return {}\n"
        "i = Input((4,))\nnet = Net(i, Dense(1)(i))",
        [("subclass", "Net", ""), ("functional", "net", "Dense")],
    ),
    "layer of another library": (
        "import tensorflow_hub as hub\n"
        "net = Sequential([hub.KerasLayer('https://example.org/m'), Dense(1)])",
        [("sequential", "net", "KerasLayer Dense")],
    ),
    "clone": (
        "net = Sequential([Dense(1)])\ntwin = keras.models.clone_model(net)",
        [("sequential", "net", "Dense"), ("other", "twin", "")],
    ),
    "loaded": ("net = keras.models.load_model('net.keras')", []),
    "notebook-like names only": ("Sequential = 3\nModel = None", []),
}


@pytest.mark.parametrize(("source", "models"), MODELS.values(), ids=MODELS)
def test_models(source: str, models: list[Model]) -> None:
    found = scanned(_START + source)

    assert [(each.kind, each.name, " ".join(each.layers)) for each in found.models] == models


def test_layers_before_an_application() -> None:
    source = """
        i = keras.Input((8, 8, 3))
        x = Rescaling(1 / 255)(i)
        base = keras.applications.Xception(include_top=False, input_tensor=x)
        net = keras.Model(i, Dense(3)(GlobalAveragePooling2D()(base.output)))
    """

    found = scanned(_START + dedent(source))

    assert [(each.kind, each.layers) for each in found.models] == [
        ("application", ()),
        ("functional", ("Rescaling", "Dense", "GlobalAveragePooling2D")),
    ]


def test_keras_by_importlib() -> None:
    found = scanned("import importlib\nk = importlib.import_module('keras')\nk.Sequential()")

    assert [each.kind for each in found.models] == ["sequential"]
    assert found.imports == ("importlib", "keras")


def test_a_class_that_a_condition_picks_is_left_open() -> None:
    source = """
        import keras
        from keras.layers import GRU, LSTM, Dense
        cell = LSTM if has_gpu() else GRU
        net = keras.Sequential([cell(8), Dense(1)])
        i = keras.Input((4, 1))
        other = keras.Model(i, Dense(1)(cell(8)(i)))
    """

    found = scanned(source)

    assert [model.layers for model in found.models] == [("Dense",), ("Dense",)]
    assert "one of several layers: GRU, LSTM" in reasons(found).values()


def test_lines_are_those_of_the_calls() -> None:
    source = """\
        import keras

        class Net(keras.Model):
            pass

        net = keras.Sequential(
            [keras.layers.Dense(1)]
        )
    """

    assert [(each.kind, each.line) for each in scanned(source).models] == [
        ("subclass", 3),
        ("sequential", 6),
    ]
