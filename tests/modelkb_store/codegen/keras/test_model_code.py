from __future__ import annotations

import json

import keras
from keras import layers

from modelkb_callbacks.policy_names import with_policy_names
from modelkb_store.codegen.keras.model_code import model_code


def test_the_policy_of_most_layers_however_it_is_written() -> None:
    inputs = keras.Input((4,))
    x = layers.Dense(3, dtype="mixed_bfloat16")(inputs)
    x = layers.Dense(2, dtype="mixed_bfloat16")(x)
    model = keras.Model(inputs, layers.Dense(1, dtype="float32")(x))
    config = json.loads(model.to_json())

    code, named = model_code(config), model_code(with_policy_names(config))

    assert code.dtype_policy == "mixed_bfloat16"
    assert code.functions[-1].count("dtype='float32'") == 1
    assert named == code
