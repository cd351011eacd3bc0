"""Recurrent layers, attention and masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from modelkb_store.errors import CodeGenerationError

Check = Callable[..., str]
STEPS = (6, 4)

RECURRENT: dict[str, Callable[[], Any]] = {
    "lstm": lambda: layers.LSTM(5),
    "lstm_sequence": lambda: layers.LSTM(5, return_sequences=True, use_bias=False),
    "lstm_states": lambda: layers.LSTM(5, return_state=True, return_sequences=True),
    "lstm_backwards": lambda: layers.LSTM(5, go_backwards=True, return_sequences=True),
    "lstm_relu": lambda: layers.LSTM(5, activation="relu", recurrent_activation="hard_sigmoid"),
    "lstm_dropout": lambda: layers.LSTM(5, dropout=0.3, recurrent_dropout=0.2),
    "gru": lambda: layers.GRU(5, return_sequences=True),
    "gru_states": lambda: layers.GRU(5, return_state=True),
    "gru_without_bias": lambda: layers.GRU(5, use_bias=False),
    "gru_reset_before": lambda: layers.GRU(5, reset_after=False, return_sequences=True),
    "gru_swish": lambda: layers.GRU(5, activation="swish"),
    "simple": lambda: layers.SimpleRNN(5),
    "simple_relu": lambda: layers.SimpleRNN(5, activation="relu", return_state=True),
    "simple_linear": lambda: layers.SimpleRNN(5, activation=None),
    "cell": lambda: layers.RNN(layers.LSTMCell(5), return_sequences=True),
    "both_lstm": lambda: layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
    "both_last": lambda: layers.Bidirectional(layers.GRU(5), merge_mode="sum"),
    "both_average": lambda: layers.Bidirectional(layers.GRU(5), merge_mode="ave"),
    "both_states": lambda: layers.Bidirectional(layers.LSTM(5, return_state=True)),
    "both_apart": lambda: layers.Bidirectional(
        layers.SimpleRNN(5, return_sequences=True), merge_mode=None
    ),
    "both_unlike": lambda: layers.Bidirectional(
        layers.LSTM(5), backward_layer=layers.GRU(3, go_backwards=True)
    ),
}


def _numbers(random: np.random.Generator, *shape: int) -> Any:
    return random.normal(size=shape).astype("float32")


def test_recurrent_layers_give_the_same(check_same: Check, random: np.random.Generator) -> None:
    inputs = keras.Input(STEPS)
    outputs = {name: make()(inputs) for name, make in RECURRENT.items()}
    outputs = {name: list(x) if isinstance(x, tuple) else x for name, x in outputs.items()}
    check_same(keras.Model(inputs, outputs), _numbers(random, 2, *STEPS))


@pytest.mark.parametrize("begins", ["embedding", "masking"])
def test_masks_go_as_in_keras(begins: str, check_same: Check, random: np.random.Generator) -> None:
    if begins == "embedding":
        inputs = keras.Input((6,), dtype="int32")
        x: Any = layers.Embedding(9, 4, mask_zero=True)(inputs)
        values: Any = np.array([[3, 4, 0, 5, 0, 0], [0, 1, 2, 3, 4, 8]], "int32")
    else:
        inputs = keras.Input(STEPS)
        x = layers.Masking(0.0)(inputs)
        values = _numbers(random, 2, *STEPS)
        values[0, 3:] = values[1, 0] = 0
    x = layers.Dropout(0.1)(layers.LayerNormalization()(x))
    outputs = {name: make()(x) for name, make in RECURRENT.items() if "states" not in name}
    outputs["mean"] = layers.GlobalAveragePooling1D()(layers.Add()([x, x]))
    y = layers.LayerNormalization()(x)
    attended = layers.MultiHeadAttention(2, 3)(y, y)
    outputs["several"] = layers.LSTM(3)(attended)
    outputs["after"] = layers.Attention()([layers.Add()([y, attended]), x])
    outputs["attention"] = layers.Attention()([x, x])
    outputs["additive"] = layers.AdditiveAttention()([x, x])
    outputs["deep"] = layers.LSTM(3)(layers.GRU(4, return_sequences=True)(x))
    check_same(keras.Model(inputs, outputs), values)


def test_who_loses_a_mask_to_attention_must_be_sure(check_same: Check) -> None:
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    outputs = [layers.MultiHeadAttention(2, 3)(x, x), layers.Attention()([x, x])]
    with pytest.raises(CodeGenerationError, match="deletes the mask"):
        check_same(keras.Model(inputs, outputs), np.ones((2, 6), "int32"))


def test_an_encoder_and_a_decoder(check_same: Check, random: np.random.Generator) -> None:
    source, target = keras.Input((6,), name="source"), keras.Input((5,), name="target")
    x = layers.Embedding(9, 4)(source)
    _, h, c = layers.LSTM(3, return_state=True)(x)
    y = layers.LSTM(3, return_sequences=True)(layers.Embedding(9, 4)(target), initial_state=[h, c])
    z = layers.GRU(3)(y, initial_state=h)
    model = keras.Model([source, target], [layers.TimeDistributed(layers.Dense(9))(y), z])
    tokens = random.integers(0, 9, size=(2, 11)).astype("float32")
    check_same(model, tokens[:, :6], tokens[:, 6:])


def test_attention_gives_the_same(check_same: Check, random: np.random.Generator) -> None:
    query, value, key = (keras.Input(shape) for shape in ((5, 4), (7, 3), (7, 4)))
    like = layers.Dense(4)(value)
    wide = layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=6, use_bias=False)
    scores = layers.MultiHeadAttention(2, 3)(query, value, return_attention_scores=True)
    allowed = keras.Input((5, 7), dtype="bool")
    outputs = {
        "wide": wide(query, value, key),
        "scores": list(scores),
        "causal": layers.MultiHeadAttention(2, 3, dropout=0.1)(query, query, use_causal_mask=True),
        "allowed": layers.MultiHeadAttention(1, 3)(query, value, attention_mask=allowed),
        "products": layers.Attention(use_scale=True)([query, like, key]),
        "causal_products": layers.Attention(dropout=0.2)([query, like], use_causal_mask=True),
        "tanh": layers.Attention(score_mode="concat")([query, like]),
        "sums": layers.AdditiveAttention()([query, like]),
        "plain_sums": layers.AdditiveAttention(use_scale=False)([query, like, key]),
    }
    given = [_numbers(random, 2, *each.shape[1:]) for each in (query, value, key)]
    mask = random.random((2, 5, 7)) > 0.3
    mask[:, :, 0] = True
    check_same(keras.Model([query, value, key, allowed], outputs), *given, mask)


def test_a_small_transformer(check_same: Check, random: np.random.Generator) -> None:
    tokens = keras.Input((8,), dtype="int32")
    x: Any = layers.Embedding(20, 12)(tokens)
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + layers.MultiHeadAttention(3, 4, dropout=0.1)(y, y, use_causal_mask=True)
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + layers.Dense(12)(layers.Dense(24, activation="gelu")(y))
    text = check_same(
        keras.Model(tokens, layers.Dense(20)(x), name="small_gpt"),
        random.integers(0, 20, size=(2, 8)).astype("int32"),
    )
    assert "class SmallGpt(nn.Module):" in text
