"""The code as a whole: what it says, what it refuses, and what cannot get into it."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers

from modelkb_store.codegen import ModelDescription, generate_code
from modelkb_store.codegen.torch.draft import RESERVED
from modelkb_store.codegen.torch.pieces import piece_names, pieces
from modelkb_store.codegen.torch.target import write_module
from modelkb_store.errors import CodeGenerationError


def _described(model: Any) -> ModelDescription:
    return ModelDescription(json.loads(model.to_json()), "model.keras")


def _small() -> Any:
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="stem")(inputs)
    y = layers.Conv2D(8, 3, padding="same", name="conv")(x)
    x = layers.Add(name="add")([x, layers.BatchNormalization(name="norm")(y)])
    x = layers.Dropout(0.5, name="drop")(layers.Flatten(name="flat")(x))
    return keras.Model(inputs, layers.Dense(10, name="digits")(x), name="small_net")


def test_the_class_reads_as_people_write_it() -> None:
    text = write_module(_described(_small()))
    begin, end = text.index("class SmallNet"), text.index("    def load_keras")
    assert text[begin:end] == (
        "class SmallNet(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.stem = nn.Conv2d(1, 8, kernel_size=3, stride=2)\n"
        '        self.conv = nn.Conv2d(8, 8, kernel_size=3, padding="same")\n'
        "        self.norm = nn.BatchNorm2d(8, eps=0.001, momentum=0.01)\n"
        "        self.drop = nn.Dropout(0.5)\n"
        "        self.digits = nn.Linear(1568, 10)\n"
        "\n"
        "    def forward(self, inputs):\n"
        "        x = inputs.permute(0, 3, 1, 2)\n"
        "        residual = F.relu(self.stem(pad_same(x, 3, 2)))\n"
        "        x = self.conv(residual)\n"
        "        x = self.norm(x)\n"
        "        x = residual + x\n"
        "        x = x.permute(0, 2, 3, 1)\n"
        "        x = x.flatten(1)\n"
        "        x = self.drop(x)\n"
        "        x = self.digits(x)\n"
        "        return x\n"
        "\n"
    )


def test_the_target_is_found_by_its_name() -> None:
    description = _described(_small())
    assert generate_code(description, "torch") == write_module(description)


@keras.saving.register_keras_serializable("mine")
class Dense(layers.Dense):
    """A layer that is called as one of Keras'."""


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Lambda(lambda x: x, name="odd"), (4,)),
        (Dense(3, name="odd"), (4,)),
        (layers.ConvLSTM1D(2, 3, name="odd"), (5, 6, 3)),
        (layers.LSTM(3, stateful=True, name="odd"), (5, 4)),
        (layers.Softmax(axis=[1, 2], name="odd"), (5, 4)),
        (layers.UpSampling2D(2, interpolation="bicubic", name="odd"), (5, 4, 3)),
        (layers.CategoryEncoding(4, name="odd"), (4,)),
    ],
)
def test_what_cannot_be_written_is_named(layer: Any, shape: tuple[int, ...]) -> None:
    inputs = keras.Input(batch_shape=(2, *shape))
    with pytest.raises(CodeGenerationError, match="layer 'odd'"):
        write_module(_described(keras.Model(inputs, layer(inputs))))


def test_a_call_as_in_training_is_refused() -> None:
    inputs = keras.Input((4,))
    x = layers.BatchNormalization(name="odd")(inputs, training=True)
    with pytest.raises(CodeGenerationError, match="training=True"):
        write_module(_described(keras.Model(inputs, x)))


def test_what_is_not_the_same_stands_in_the_docstring() -> None:
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.RandomFlip(name="flip")])
    model.add(layers.Dense(3, kernel_regularizer="l2", name="end"))
    text = ast.get_docstring(ast.parse(write_module(_described(model))))
    assert text is not None
    assert "layer 'flip' (RandomFlip): it is left out" in text
    assert "layer 'end' (Dense): its kernel_regularizer is not part of the module" in text


EVIL = '"""); import os; os.abort() #\n\\'


def test_names_of_a_hostile_file_stay_harmless(check_same: Callable[..., str]) -> None:
    inputs = keras.Input((4,), name="self")
    x = layers.Dense(3, name="train")(inputs)
    for name in ("v1_train", "V2_x", "None", "nn", "class", "torch"):
        x = layers.Dense(3, name=name)(x)
    model = keras.Model(inputs, {"a'\n": x, "b": x}, name="exception")
    check_same(model, np.ones((2, 4), "float32"))


@pytest.mark.parametrize(
    "change",
    [
        {"units": EVIL},
        {"units": [EVIL]},
        {"activation": EVIL},
        {"activation": {"class_name": EVIL, "config": EVIL}},
        {"use_bias": EVIL},
        {"dtype": {"class_name": "DTypePolicy", "config": {"name": EVIL}}},
        {"name": EVIL},
    ],
)
def test_settings_of_a_hostile_file_are_refused_or_kept_as_text(change: dict[str, Any]) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="net")
    config = json.loads(model.to_json())
    config["config"]["layers"][1]["config"].update(change)
    config["config"]["name"] = EVIL
    try:
        text = write_module(ModelDescription(config, EVIL, EVIL))
    except CodeGenerationError:
        return
    called = {
        ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
    }
    assert not any("os" in name.split(".") for name in called)


def test_attributes_of_modules_are_not_taken() -> None:
    own = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert own <= RESERVED


def test_each_piece_stands_by_itself() -> None:
    for name in piece_names():
        names: dict[str, Any] = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
        exec("\n\n".join(pieces([name])), names)
        assert name in names


def test_dropout_is_there_in_training_alone() -> None:
    inputs = keras.Input((50,))
    x = layers.GaussianNoise(1.0)(layers.Dropout(0.5, noise_shape=(None, 1))(inputs))
    text = write_module(_described(keras.Model(inputs, x)))
    names: dict[str, Any] = {}
    exec(text, names)
    made = names["Model"]()
    ones = torch.ones(4, 50)
    assert not torch.equal(made.train()(ones), ones)
    assert torch.equal(made.eval()(ones), ones)
