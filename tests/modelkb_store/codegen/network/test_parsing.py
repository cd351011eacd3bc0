from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest
from keras import layers

from modelkb_store.codegen.network import Layer, Network, TensorRef, parse_model
from modelkb_store.errors import CodeGenerationError


def _two_towers() -> Any:
    tower = keras.Model(inputs := keras.Input((4,)), layers.Dense(2)(inputs), name="tower")
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    outputs = {"sum": layers.Add(name="add")([tower(first), tower(second)]), "raw": tower(second)}
    return keras.Model({"first": first, "second": second}, outputs, name="towers")


def _same_graph(network: Any) -> None:
    assert isinstance(network, Network)
    assert (network.name, network.kind) == ("towers", "functional")
    assert network.inputs == {
        "first": TensorRef("first", 0, 0),
        "second": TensorRef("second", 0, 0),
    }
    # The call that a functional model begins its life with is not one of the network's.
    assert list(network.layer("add").calls[0].tensors()) == [
        TensorRef("tower", 0, 0),
        TensorRef("tower", 1, 0),
    ]
    assert network.outputs["raw"] == TensorRef("tower", 2, 0)
    inner = network.layer("tower").network
    assert inner is not None
    assert [layer.class_name for layer in inner.layers] == ["InputLayer", "Dense"]


def test_a_configuration_of_keras_3() -> None:
    _same_graph(parse_model(json.loads(_two_towers().to_json())))


@pytest.mark.filterwarnings("ignore")
def test_a_configuration_of_an_hdf5_file(tmp_path: Path) -> None:
    _two_towers().save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        config = json.loads(file.attrs["model_config"])
    assert "module" not in config
    _same_graph(parse_model(config))


def test_a_configuration_of_keras_2() -> None:
    dense = {"name": "dense", "trainable": True, "units": 2}
    config = {
        "name": "old",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "a"}, "name": "a", "inbound_nodes": []},
            {
                "class_name": "Dense",
                "config": dense,
                "name": "dense",
                "inbound_nodes": [[["a", 0, 0, {}]]],
            },
            {
                "class_name": "Add",
                "config": {"name": "add", "trainable": True},
                "name": "add",
                "inbound_nodes": [[["a", 0, 0, {}], ["dense", 0, 0, {}]]],
            },
        ],
        "input_layers": [["a", 0, 0]],
        "output_layers": [["add", 0, 0]],
    }
    network = parse_model({"class_name": "Functional", "config": config})
    assert isinstance(network, Network)
    assert network.layer("dense").calls[0].args == (TensorRef("a", 0, 0),)
    assert network.layer("add").calls[0].args == ([TensorRef("a", 0, 0), TensorRef("dense", 0, 0)],)
    assert not network.layer("add").is_operation


def test_operations_are_told_from_layers_of_the_same_name() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Add()([inputs, inputs]) + inputs)
    network = parse_model(json.loads(model.to_json()))
    assert isinstance(network, Network)
    kinds = [layer.is_operation for layer in network.layers if layer.class_name == "Add"]
    assert kinds == [False, True]


def test_a_class_of_the_users_own_is_one_layer() -> None:
    parsed = parse_model({"class_name": "Mine", "module": "__main__", "config": {"units": 3}})
    assert isinstance(parsed, Layer)
    assert parsed.config == {"units": 3}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"class_name": "Functional"},
        {"class_name": "Functional", "config": 3},
        {"class_name": "Functional", "config": {"layers": [{"class_name": "Dense"}]}},
        {
            "class_name": "Functional",
            "config": {"layers": [], "input_layers": 3, "output_layers": []},
        },
    ],
)
def test_what_is_no_model_is_said_so(config: dict[str, Any]) -> None:
    with pytest.raises(CodeGenerationError, match="not one that Keras writes"):
        parse_model(config)
