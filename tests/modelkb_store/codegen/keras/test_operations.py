from __future__ import annotations

import ast
import json
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from keras_operations import operation_models
from make_keras_api import API_FILE
from modelkb_store.codegen.keras import api
from modelkb_store.codegen.keras.operations import operation_call
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.errors import CodeGenerationError

KEYS = sorted(json.loads(API_FILE.read_text())["operations"])
# Of so many at least a model can be made of plain tensors.
MOST = 220


def layers_of(model: keras.Model) -> tuple[list[Any], list[Any]]:
    """Return the inputs and the operations of a model's configuration."""
    entries = json.loads(json.dumps(model.get_config()))["layers"]
    inputs = [each for each in entries if each["class_name"] == "InputLayer"]
    return inputs, [each for each in entries if each["class_name"] != "InputLayer"]


def argument(value: Any, names: dict[str, str]) -> ast.expr:
    """Write what an operation is called with."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return ast.Name(names[value["config"]["keras_history"][0]])
    if isinstance(value, list) and "__keras_tensor__" in json.dumps(value):
        return ast.List([argument(each, names) for each in value])
    return Speller().value(value, "a")


def text_of(model: keras.Model) -> str:
    """Write the one operation of a model, of inputs named x0, x1, .."""
    inputs, (operation,) = layers_of(model)
    names = {each["name"]: f"x{place}" for place, each in enumerate(inputs)}
    (node,) = operation["inbound_nodes"]
    args = [argument(each, names) for each in node["args"]]
    kwargs = {key: argument(each, names) for key, each in node["kwargs"].items()}
    call = operation_call(Speller(), operation, args, kwargs, "operation 'a'")
    return ast.unparse(ast.fix_missing_locations(call))


def made_again(text: str, model: keras.Model) -> keras.Model:
    inputs, _ = layers_of(model)
    fresh = {
        f"x{place}": keras.layers.InputLayer(
            batch_shape=each["config"]["batch_shape"],
            dtype=each["config"]["dtype"],
            name=each["name"],
        ).output
        for place, each in enumerate(inputs)
    }
    made = keras.tree.flatten(eval(text, {"keras": keras, "ops": ops, "np": np, **fresh}))
    outputs = [each for each in made if isinstance(each, keras.KerasTensor)]
    return keras.Model(list(fresh.values()), outputs)


def without_name(model: keras.Model) -> str:
    """Return the configuration, with the name of its operation left out."""
    _, (operation,) = layers_of(model)
    config = model.get_config()
    text = json.dumps([config["layers"], config["output_layers"]])
    return text.replace(json.dumps(operation["name"]), '"operation"')


def test_every_operation_is_made_again():
    wrong, covered = [], set()
    for key in KEYS:
        module, _, name = key.partition(".")
        described = api.find_operation(f"keras.src.ops.{module}", name)
        for passed, model in operation_models(described):
            covered.add(key)
            text = text_of(model)
            if without_name(made_again(text, model)) != without_name(model):
                wrong.append(f"{key}({passed}) became {text}")

    assert wrong == []
    assert len(covered) >= MOST


@pytest.mark.parametrize(
    "text",
    [
        "x0 + x1",
        "x0 - 1.5",
        "1 - x0",
        "2.0 * x0",
        "x0 / x1",
        "1 / x0",
        "x0 // 2",
        "x0 % 2",
        "x0 ** 2",
        "2 ** x0",
        "(-2) ** x0",
        "-x0",
        "~x0",
        "x0 @ x1",
        "x0 < 2",
        "x0 >= x1",
        "x0 != 0.5",
        "x0 & x1",
        "x0 ^ x1",
        "x0[0]",
        "x0[:, 0]",
        "x0[..., None]",
        "x0[:, ::2]",
        "x0[:, 1:3, -1]",
        "ops.equal(x0, x1)",
        "ops.mean(x0, axis=1)",
        "ops.concatenate([x0, x1], axis=-1)",
        "ops.einsum('abc,acd->abd', x0, x1)",
        "ops.meshgrid(x0, x1, indexing='ij')",
        "ops.stack([x0, x1], axis=1)",
        "ops.image.resize(x0, (2, 2))",
        "ops.reshape(x0, (-1, 16))",
        "ops.clip(x0, 0.0, 6.0)",
        "ops.softmax(x0)",
        "ops.where(x0, x1, 0.0)",
        "ops.cast(x0, 'int32')",
        "ops.convert_to_tensor(x0)",
        "ops.diff(x0, axis=1)",
        "ops.pad(x0, ((0, 0), (1, 2), (0, 0)))",
        "ops.pad(x0, ((0, 0), (1, 2), (0, 0)), constant_values=0.5)",
    ],
)
def test_text_comes_back(text):
    rank = 4 if "image" in text else 1 if "meshgrid" in text else 3
    fresh = [keras.Input(batch_shape=(2, *(4,) * (rank - 1))) for _ in range(2)]
    result = eval(text, {"ops": ops, "x0": fresh[0], "x1": fresh[1]})
    model = keras.Model(fresh if "x1" in text else fresh[:1], keras.tree.flatten(result))

    assert text_of(model) == text
    assert without_name(made_again(text, model)) == without_name(model)


def test_array_keeps_its_place_in_an_operator():
    text = "ops.subtract(np.array([1.0], dtype='float32'), x0)"
    x = keras.Input((4,))
    model = keras.Model([x], [ops.subtract(np.array([1.0], "float32"), x)])

    assert text_of(model) == text
    assert without_name(made_again(text, model)) == without_name(model)


def test_class_that_is_no_operation_is_an_error():
    entry = {"module": "keras.src.ops.numpy", "class_name": "Mean; import os", "config": {}}

    with pytest.raises(CodeGenerationError, match="operation 'a'"):
        operation_call(Speller(), entry, [ast.Name("x")], {}, "operation 'a'")


def test_setting_that_the_function_does_not_take_is_an_error():
    entry = {"module": "keras.src.ops.numpy", "class_name": "Mean", "config": {"unheard": 3}}

    with pytest.raises(CodeGenerationError, match="unheard"):
        operation_call(Speller(), entry, [ast.Name("x")], {}, "operation 'a'")
