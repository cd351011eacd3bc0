from __future__ import annotations

import ast
import json
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers, ops

from keras_samples import classes, samples
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.errors import CodeGenerationError

MODULES = {
    "layers": keras.layers,
    "initializers": keras.initializers,
    "regularizers": keras.regularizers,
    "constraints": keras.constraints,
    "schedules": keras.optimizers.schedules,
    "optimizers": keras.optimizers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "quantizers": keras.quantizers,
    "dtype_policies": keras.dtype_policies,
}
CLASSES = [
    pytest.param(each, id=f"{kind}.{each.__name__}")
    for kind, module in MODULES.items()
    for each in classes(module)
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def serialized(value: Any) -> Any:
    return json.loads(json.dumps(keras.saving.serialize_keras_object(value)))


def unparsed(expression: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(expression))


def text_of(value: Any, **options: Any) -> str:
    """Write an object of Keras, or its configuration."""
    entry = value if isinstance(value, dict) else serialized(value)
    return unparsed(Speller(**options).construct(entry, "layer 'a'"))


def evaluated(text: str, **names: Any) -> Any:
    return eval(text, {"keras": keras, "layers": layers, "ops": ops, "np": np, **names})


def without_names(value: Any) -> Any:
    """Leave out the names of layers and optimizers, which others choose."""
    if isinstance(value, list):
        return [without_names(each) for each in value]
    if not isinstance(value, dict):
        return value
    left = {key: without_names(each) for key, each in value.items()}
    is_layer = "trainable" in (value.get("config") or {})
    if is_layer or value.get("module") in ("keras.layers", "keras.optimizers"):
        left["config"].pop("name", None)
    return left


def double(x: Any) -> Any:
    return x * 2


@pytest.mark.parametrize("each", CLASSES)
def test_every_object_is_made_again(each):
    wrong = []
    for passed, original in samples(each):
        text = text_of(original)
        first, again = without_names(serialized(original)), serialized(evaluated(text))
        if first != without_names(again):
            wrong.append(f"{each.__name__}({passed}) became {text}")

    assert wrong == []


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: layers.Conv2D(32, 3, padding="same"), "layers.Conv2D(32, 3, padding='same')"),
        (lambda: layers.Conv2D(8, (3, 5), (2, 2)), "layers.Conv2D(8, (3, 5), strides=2)"),
        (lambda: layers.Dense(3, kernel_initializer="he_normal"), None),
        (
            lambda: layers.Dense(3, kernel_regularizer=keras.regularizers.L2(1e-4)),
            "layers.Dense(3, kernel_regularizer=keras.regularizers.L2(l2=0.0001))",
        ),
        (lambda: layers.Reshape((-1, 3)), "layers.Reshape((-1, 3))"),
        (layers.MaxPooling2D, "layers.MaxPooling2D()"),
        (lambda: layers.RandomRotation(0.1), "layers.RandomRotation(0.1)"),
        (lambda: layers.StringLookup(vocabulary=["a"]), "layers.StringLookup(vocabulary=['a'])"),
        (lambda: layers.Dense(3, dtype="mixed_float16"), "layers.Dense(3, dtype='mixed_float16')"),
        (lambda: layers.Lambda(double), "layers.Lambda(double)"),
        (lambda: layers.Dense(3, activation=double), "layers.Dense(3, activation=double)"),
        (lambda: keras.optimizers.Adam(0.01), "keras.optimizers.Adam(learning_rate=0.01)"),
        (lambda: keras.optimizers.Adam(name="own"), "keras.optimizers.Adam(name='own')"),
        (
            lambda: keras.metrics.MeanMetricWrapper(
                keras.metrics.binary_accuracy, name="b", threshold=0.3
            ),
            "keras.metrics.MeanMetricWrapper(keras.metrics.binary_accuracy, name='b', "
            "threshold=0.3)",
        ),
    ],
)
def test_text_is_as_in_keras_guides(made, text):
    expected = text or "layers.Dense(3, kernel_initializer='he_normal')"

    assert text_of(made(), definitions={"double"}) == expected


def test_layers_of_the_global_policy_do_not_say_so():
    layer = layers.Dense(3, dtype="mixed_float16")

    assert text_of(layer, default_dtype="mixed_float16") == "layers.Dense(3)"
    assert text_of(layers.Dense(3), default_dtype="mixed_float16") == (
        "layers.Dense(3, dtype='float32')"
    )


def test_inner_layers_keep_names_unless_told_otherwise():
    layer = layers.Bidirectional(layers.LSTM(3, name="lstm"))

    assert text_of(layer) == "layers.Bidirectional(layers.LSTM(3, name='lstm'))"
    assert text_of(layer, left_out={"lstm"}) == "layers.Bidirectional(layers.LSTM(3))"


def test_configuration_of_keras_2_leaves_out_the_same():
    entry = {
        "class_name": "Dense",
        "config": {
            "name": "d",
            "batch_input_shape": [None, 3],
            "dtype": "float32",
            "units": 3,
            "activation": "relu",
            "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
            "bias_initializer": {"class_name": "Zeros", "config": {}},
        },
    }

    assert text_of(entry) == "layers.Dense(3, activation='relu')"


def test_normalization_of_keras_2_has_one_axis():
    entry = {"class_name": "BatchNormalization", "config": {"name": "b", "axis": [3]}}

    assert text_of(entry) == "layers.BatchNormalization(axis=3)"


@pytest.mark.parametrize(
    "config",
    [
        {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAA=="}}},
        {"function": ["4wEAAA==", None, None], "function_type": "lambda"},
        {"function": "unknown", "function_type": "function"},
        {"function": {"class_name": "function", "module": "builtins", "config": "system"}},
    ],
)
def test_lambda_without_source_is_an_error_that_names_the_layer(config):
    with pytest.raises(CodeGenerationError, match="layer 'a'"):
        text_of({"class_name": "Lambda", "config": {"name": "l", **config}})


def test_function_of_keras_2_is_written_by_its_name():
    entry = {"class_name": "Lambda", "config": {"function": "double", "function_type": "function"}}

    assert text_of(entry, definitions={"double"}) == "layers.Lambda(double)"


def test_class_of_the_users_is_written_by_its_name_if_it_is_defined():
    entry = {
        "module": "builtins",
        "class_name": "Mine",
        "config": {"name": "mine", "trainable": True, "dtype": "float32", "width": 3},
        "registered_name": "Custom>Mine",
    }

    assert text_of(entry, definitions={"Mine"}) == "Mine(width=3)"
    with pytest.raises(CodeGenerationError, match="Custom>Mine"):
        text_of(entry)


@pytest.mark.parametrize("name", ["x=1, y", "__import__('os')", "class", "a-b", ""])
def test_argument_that_is_no_name_is_an_error(name):
    entry = {"class_name": "Mine", "config": {name: 1}}

    with pytest.raises(CodeGenerationError, match="Mine|no argument"):
        text_of(entry, definitions={"Mine"})


def test_class_name_with_code_in_it_is_an_error():
    hostile = "Mine(__import__('os').system('true')) or Mine"

    with pytest.raises(CodeGenerationError):
        text_of({"class_name": hostile, "config": {}}, definitions={hostile})


@pytest.mark.parametrize("class_name", ["TorchModuleWrapper", "JaxLayer", "FlaxLayer"])
def test_program_of_another_framework_is_an_error(class_name):
    with pytest.raises(CodeGenerationError, match=class_name):
        text_of({"module": "keras.layers", "class_name": class_name, "config": {}})


@pytest.mark.parametrize(
    "value",
    [(1, 2), b"bytes", slice(None, 3, 2), ..., np.array([[1, 2]], "int64"), [1.5], "x'\n"],
)
def test_special_values_are_made_again(value):
    entry = keras.saving.serialize_keras_object(value)

    again = evaluated(unparsed(Speller().value(entry, "a")))

    assert keras.saving.serialize_keras_object(again) == entry


def test_type_of_tensorflow_is_an_error():
    entry = {"class_name": "__typespec__", "config": [[None, 3], "float32", None]}

    with pytest.raises(CodeGenerationError, match="typespec"):
        Speller().value(entry, "a")


@given(JSON)
def test_plain_values_come_back(value):
    try:
        text = unparsed(Speller().value(value, "a"))
    except CodeGenerationError:
        assert "class_name" in str(value)
        return

    assert json.dumps(eval(text)) == json.dumps(value)


@given(st.text())
def test_hostile_texts_stay_texts(text):
    call = Speller().construct({"class_name": "Dense", "config": {"units": text}}, "a", name=text)

    tree = ast.parse(unparsed(call), mode="eval").body
    assert isinstance(tree, ast.Call)
    assert [each.value for each in tree.args] == [text]
    assert [each.value.value for each in tree.keywords] == [text]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"shape": (32, 32, 3)}, "keras.Input(shape=(32, 32, 3), name='i')"),
        (
            {"shape": (None,), "batch_size": 4, "dtype": "int32"},
            "keras.Input(shape=(None,), batch_size=4, dtype='int32', name='i')",
        ),
        (
            {"shape": (3,), "sparse": True, "optional": True},
            "keras.Input(shape=(3,), sparse=True, optional=True, name='i')",
        ),
    ],
)
def test_input_is_made_again(arguments, text):
    config = serialized(layers.InputLayer(**arguments, name="i"))["config"]

    written = unparsed(Speller().input_call(config, "a", name="i"))

    assert written == text
    again = serialized(evaluated(written)._keras_history.operation)["config"]
    assert again == config
