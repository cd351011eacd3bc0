from __future__ import annotations

import json
from typing import Any

import keras
import pytest
from keras import layers

from modelkb_store.codegen.network import Layer, Network, parse_model
from modelkb_store.codegen.network.ordering import construction_order, steps
from modelkb_store.errors import CodeGenerationError


@pytest.fixture(autouse=True)
def _fresh_names() -> None:
    keras.utils.clear_session(free_memory=False)


def _network(model: Any) -> Network:
    parsed = parse_model(json.loads(model.to_json()))
    assert isinstance(parsed, Network)
    return parsed


def _order(model: Any) -> list[str]:
    return [step.layer.name for step in steps(_network(model)) if step.makes]


def test_branches_are_followed_to_their_ends() -> None:
    inputs = keras.Input((4,), name="in")
    left = layers.Dense(2, name="a2")(layers.Dense(2, name="a1")(inputs))
    right = layers.Dense(2, name="b2")(layers.Dense(2, name="b1")(inputs))
    model = keras.Model(inputs, layers.Add(name="sum")([left, right]))
    assert _order(model) == ["in", "a1", "a2", "b1", "b2", "sum"]


def test_layers_are_made_in_the_order_of_their_made_up_names() -> None:
    inputs = keras.Input((4,))
    long = layers.Dense(2)(inputs)
    short = layers.Dense(2)(inputs)
    long = layers.Dense(2)(layers.Dense(2)(long))
    model = keras.Model(inputs, layers.Add()([short, long]))
    assert _order(model) == ["input_layer", "dense", "dense_1", "dense_2", "dense_3", "add"]


def test_a_layer_that_was_made_long_before_it_was_called_is_made_alone() -> None:
    late, early = layers.Dense(2), layers.Dense(3)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, late(early(inputs)))
    done = [(step.layer.name, step.makes, step.call) for step in steps(_network(model))]
    assert done == [
        ("input_layer", True, None),
        ("dense", True, None),
        ("dense_1", True, 0),
        ("dense", False, 0),
    ]


def test_calls_of_a_shared_layer_keep_their_order() -> None:
    inputs, shared = keras.Input((4,)), layers.Dense(4, name="shared")
    x = inputs
    for _ in range(3):
        x = shared(x)
    model = keras.Model(inputs, x)
    calls = [step.call for step in steps(_network(model)) if step.layer.name == "shared"]
    assert calls == [None, 0, 1, 2]


def test_the_order_of_construction_has_the_layers_of_nested_models() -> None:
    base = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5)], name="base")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1)(base(inputs)))
    assert construction_order(json.loads(model.to_json())) == [
        "base/input_layer",
        "base/dense",
        "base/dropout",
        "input_layer_1",
        "dense_1",
    ]


def test_there_is_no_order_for_a_class_of_the_users_own() -> None:
    config = {"class_name": "Mine", "config": {"units": 3}, "module": "__main__"}
    assert isinstance(parse_model(config), Layer)
    assert construction_order(config) is None


def test_names_that_contradict_the_calls_are_passed_over() -> None:
    inputs = keras.Input((4,))
    second = layers.Dense(2, name="dense_1")
    first = layers.Dense(2, name="dense")
    model = keras.Model(inputs, keras.ops.relu(first(second(inputs))))
    assert set(_order(model)) == {layer.name for layer in _network(model).layers}


def test_a_chain_of_thousands_of_layers_is_ordered() -> None:
    def entry(name: str, before: str | None) -> dict[str, Any]:
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
        nodes = [] if before is None else [{"args": [tensor], "kwargs": {}}]
        kind = "InputLayer" if before is None else "ReLU"
        return {"class_name": kind, "config": {"name": name}, "name": name, "inbound_nodes": nodes}

    names = [f"layer_{number}" for number in range(5000)]
    entries = [entry(name, before) for name, before in zip(names, [None, *names], strict=False)]
    config = {"name": "deep", "layers": entries}
    config |= {"input_layers": [names[0], 0, 0], "output_layers": [names[-1], 0, 0]}
    network = parse_model({"class_name": "Functional", "config": config})
    assert isinstance(network, Network)
    assert [step.layer.name for step in steps(network)] == names


@pytest.mark.parametrize(
    ("history", "says"), [(["b", 0, 0], "own outputs"), (["nobody", 0, 0], "does not have")]
)
def test_a_graph_that_cannot_be_is_named(history: list[Any], says: str) -> None:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": history}}
    layer = {"class_name": "ReLU", "config": {"name": "b", "trainable": True}, "name": "b"}
    entries = [
        {"class_name": "InputLayer", "config": {"name": "a"}, "name": "a", "inbound_nodes": []},
        {**layer, "inbound_nodes": [{"args": [tensor], "kwargs": {}}]},
    ]
    config = {"name": "m", "layers": entries}
    config |= {"input_layers": ["a", 0, 0], "output_layers": ["b", 0, 0]}
    network = parse_model({"class_name": "Functional", "config": config})
    assert isinstance(network, Network)
    with pytest.raises(CodeGenerationError, match=says):
        steps(network)
