from __future__ import annotations

import json
from typing import Any

import keras
import pytest
from keras import layers

from modelkb_callbacks.policy_names import with_policy_names
from modelkb_store.codegen.description import ModelDescription
from modelkb_store.codegen.keras.target import write_module


def _code(model: Any) -> str:
    description = ModelDescription(json.loads(model.to_json()), "a test")
    return write_module(description, applications=True)


def _built(code: str) -> Any:
    keras.utils.clear_session(free_memory=False)
    scope: dict[str, Any] = {}
    exec(code, scope)
    return scope["build_model"]()


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ({}, "keras.applications.MobileNet(weights=None)"),
        ({"classes": 7}, "keras.applications.MobileNet(weights=None, classes=7)"),
        (
            {"include_top": False, "input_shape": (96, 96, 3), "pooling": "avg"},
            "weights=None, input_shape=(96, 96, 3), include_top=False, pooling='avg'",
        ),
    ],
)
def test_an_application_is_one_call(arguments: dict[str, Any], written: str) -> None:
    model = keras.applications.MobileNet(weights=None, **arguments)
    code = _code(model)
    assert " ".join(code.split()).replace('"', "'").replace("( ", "(").count(written) == 1
    assert _built(code).count_params() == model.count_params()


def test_an_application_with_policies_by_name_is_one_call() -> None:
    """As ModelKB keeps a configuration, and as Keras 2 wrote it."""
    model = keras.applications.MobileNet(weights=None)
    named = with_policy_names(json.loads(model.to_json()))
    code = write_module(ModelDescription(named, "a test"), applications=True)
    assert code.count("keras.applications.MobileNet(weights=None)") == 1


def test_a_frozen_base_is_one_call_and_frozen() -> None:
    base = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(64, 64, 3))
    base.trainable = False
    inputs = keras.Input((64, 64, 3))
    model = keras.Model(inputs, layers.Flatten()(base(inputs, training=False)))
    again = _built(_code(model))
    assert again.trainable_weights == []
    assert again.count_params() == model.count_params()


def test_what_was_changed_is_written_out() -> None:
    original = keras.applications.MobileNet(weights=None, alpha=0.25)
    layer = original.layers[-3]
    model = keras.Model(original.input, layers.Dense(4)(layers.Flatten()(layer.output)))
    code = _code(model)
    assert "keras.applications" not in code
    assert "layers.DepthwiseConv2D" in code


def test_nothing_is_looked_for_unless_asked() -> None:
    model = keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(32, 32, 3))
    assert "keras.applications" not in write_module(
        ModelDescription(json.loads(model.to_json()), "a test")
    )
