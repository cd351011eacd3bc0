from __future__ import annotations

import json
from typing import Any

import keras
import pytest
from keras import layers

from modelkb_store.codegen.network import Network, parse_model
from modelkb_store.codegen.network.masks import without_implicit_masks


def _unmasked(model: Any) -> Network:
    network = parse_model(json.loads(model.to_json()))
    assert isinstance(network, Network)
    return without_implicit_masks(network)


def _operations(network: Network) -> list[str]:
    return [layer.class_name for layer in network.layers if layer.is_operation]


def _masked_calls(network: Network) -> list[str]:
    return [
        layer.name
        for layer in network.layers
        for call in layer.calls
        for name in call.kwargs or {}
        if "mask" in name
    ]


@pytest.mark.parametrize("merge", [layers.Add, layers.Concatenate])
def test_masks_of_an_embedding_are_left_out_however_far_they_go(merge: type[Any]) -> None:
    tokens = keras.Input((None,), dtype="int32")
    first = layers.Embedding(10, 4, mask_zero=True)(tokens)
    second = layers.Embedding(10, 4, mask_zero=True)(tokens)
    x = layers.LSTM(3, return_sequences=True)(merge()([first, second]))
    model = keras.Model(tokens, layers.Bidirectional(layers.GRU(2))(x))
    network = _unmasked(model)
    assert _operations(network) == []
    assert _masked_calls(network) == []


def test_masks_of_a_masking_layer_are_left_out() -> None:
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, layers.LSTM(2)(layers.Masking(-1.0)(inputs)))
    network = _unmasked(model)
    assert _operations(network) == []
    assert _masked_calls(network) == []


def test_a_mask_of_the_users_own_stays() -> None:
    inputs = keras.Input((5, 3))
    mask = keras.Input((5,), dtype="bool")
    inverted = keras.ops.logical_not(mask)
    model = keras.Model([inputs, mask], layers.LSTM(2, name="lstm")(inputs, mask=inverted))
    network = _unmasked(model)
    assert _operations(network) == ["LogicalNot"]
    assert _masked_calls(network) == ["lstm"]


def test_an_operation_whose_value_is_used_otherwise_stays() -> None:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(10, 4, mask_zero=True)(tokens)
    count = keras.ops.sum(keras.ops.cast(keras.ops.not_equal(tokens, 0), "float32"), axis=1)
    model = keras.Model(tokens, [layers.LSTM(2)(x), count])
    network = _unmasked(model)
    assert sorted(_operations(network)) == ["Cast", "NotEqual", "Sum"]
    assert _masked_calls(network) == []
