from __future__ import annotations

import json
from typing import Any

import keras
import pytest
from keras import layers

from modelkb_callbacks.policy_names import with_policy_names


def model_of_several_policies() -> Any:
    inputs = keras.Input((4,), dtype="float64", name="points")
    inner = keras.Sequential([layers.Dense(3, dtype="mixed_bfloat16")], name="inner")
    x = layers.Bidirectional(layers.LSTM(2, dtype="float64"))(inner(inputs)[:, None])
    return keras.Model(inputs, layers.Dense(1, dtype=keras.DTypePolicy("float16"))(x))


def test_keras_builds_the_same_model_of_names() -> None:
    model = model_of_several_policies()
    config = json.loads(model.to_json())

    named = with_policy_names(config)

    text = json.dumps(named)
    assert "DTypePolicy" in json.dumps(config)
    assert "DTypePolicy" not in text
    rebuilt = keras.models.model_from_json(text)
    assert json.loads(rebuilt.to_json()) == config
    variables = [(each.dtype, each.shape) for each in model.variables]
    assert [(each.dtype, each.shape) for each in rebuilt.variables] == variables


@pytest.mark.parametrize(
    "value",
    [
        "float32",
        None,
        {"class_name": "DTypePolicy"},
        {"module": "keras", "class_name": "DTypePolicy", "config": {"name": None}},
        {"module": "mine", "class_name": "DTypePolicy", "config": {"name": "float32"}},
        keras.saving.serialize_keras_object(
            keras.dtype_policies.QuantizedDTypePolicy("int8", "float32")
        ),
    ],
)
def test_any_other_policy_stays(value: Any) -> None:
    config = {"layers": [{"config": {"dtype": value, "units": 3}}]}

    assert with_policy_names(config) == config


def test_only_what_is_called_dtype_is_a_policy() -> None:
    policy = keras.saving.serialize_keras_object(keras.DTypePolicy("float16"))

    assert with_policy_names({"policy": policy}) == {"policy": policy}
    assert with_policy_names({"dtype": policy}) == {"dtype": "float16"}
