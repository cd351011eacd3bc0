from __future__ import annotations

import json

import keras
import pytest
from keras import layers

from modelkb_store.codegen.network import parse_model
from modelkb_store.codegen.network.auto_names import auto_number, names_to_leave_out, snake_case
from modelkb_store.codegen.network.ordering import constructed


@pytest.mark.parametrize("name", [name for name in dir(layers) if name[0].isupper()])
def test_class_names_are_written_as_keras_writes_them(name: str) -> None:
    keras.utils.clear_session(free_memory=False)
    assert snake_case(name) == keras.src.utils.naming.auto_name(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv2d", ("conv2d", 0)),
        ("conv2d_12", ("conv2d", 12)),
        ("conv2d_0", None),
        ("conv2d_01", None),
        ("conv2d_", None),
        ("my_conv2d", None),
        ("conv2d\n", None),
    ],
)
def test_numbers_of_names(name: str, expected: tuple[str, int] | None) -> None:
    assert auto_number(name, "Conv2D") == expected


def test_only_names_that_count_up_can_be_left_out() -> None:
    keras.utils.clear_session(free_memory=False)
    layers.ReLU()  # takes a name that is then missing in the model
    inputs = keras.Input((4,))
    x = layers.ReLU()(layers.Dense(2)(layers.Dense(3)(inputs)))
    model = keras.Model(inputs, x)
    parsed = parse_model(json.loads(model.to_json()))
    left_out = names_to_leave_out(each for _, each in constructed(parsed))
    assert left_out == {"input_layer", "dense", "functional"}


def test_a_sequential_model_takes_the_name_of_a_functional_one() -> None:
    keras.utils.clear_session(free_memory=False)
    base = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, base(inputs))
    assert model.name == "functional_1"
    parsed = parse_model(json.loads(model.to_json()))
    assert "functional" in names_to_leave_out(each for _, each in constructed(parsed))
