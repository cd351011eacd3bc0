"""What lookup layers have learned is in the configuration that is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from modelkb_callbacks import vocabularies
from modelkb_callbacks.architecture import describe_architecture
from modelkb_callbacks.vocabularies import with_vocabularies

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="models of texts are TensorFlow's"
)

WORDS = np.array([["ash"], ["oak"], ["oak"], ["élm"], ["oak"], ["ash"]])
LINES = np.array([["oak ash oak"], ["an élm"], ["oak"]])
NUMBERS = np.array([[3], [7], [7], [11]])

Made = Callable[[], Any]
LOOKUPS: dict[str, tuple[Made, Any, str]] = {
    "strings": (layers.StringLookup, WORDS, "string"),
    "strings, masked": (lambda: layers.StringLookup(mask_token=""), WORDS, "string"),
    "strings, two for others": (lambda: layers.StringLookup(num_oov_indices=2), WORDS, "string"),
    "strings, back": (
        lambda: layers.StringLookup(output_mode="multi_hot"),
        WORDS,
        "string",
    ),
    "strings, weighted": (lambda: layers.StringLookup(output_mode="tf_idf"), WORDS, "string"),
    "numbers": (layers.IntegerLookup, NUMBERS, "int64"),
    "texts": (layers.TextVectorization, LINES, "string"),
    "texts, weighted": (lambda: layers.TextVectorization(output_mode="tf_idf"), LINES, "string"),
    "texts, padded": (
        lambda: layers.TextVectorization(10, output_mode="tf_idf", pad_to_max_tokens=True),
        LINES,
        "string",
    ),
}


def model_of(layer: Any, dtype: str) -> keras.Model:
    return keras.Sequential([keras.Input((1,), dtype=dtype), layer])


@pytest.mark.parametrize("name", LOOKUPS)
def test_an_adapted_layer_comes_back(name: str) -> None:
    make, data, dtype = LOOKUPS[name]
    layer = make()
    layer.adapt(data)
    model = model_of(layer, dtype)
    config = describe_architecture(model).architecture.model_config
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    assert again.layers[0].get_vocabulary() == layer.get_vocabulary()
    unknown = np.array([["yew"], ["oak"]]) if dtype == "string" else np.array([[4], [7]])
    for x in (data, unknown):
        tensor = keras.ops.convert_to_tensor(x)
        expected = keras.ops.convert_to_numpy(model(tensor))
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(tensor)), expected)


def test_what_keras_has_in_the_configuration_stays() -> None:
    for layer, dtype in (
        (layers.StringLookup(vocabulary=["a", "b"]), "string"),
        (layers.Discretization(bin_boundaries=[0.0, 1.0]), "float32"),
    ):
        config = json.loads(model_of(layer, dtype).to_json())
        assert with_vocabularies(model_of(layer, dtype), config) == (config, [])


def test_an_adapted_discretization_is_whole_already() -> None:
    layer = layers.Discretization(num_bins=3)
    layer.adapt(np.arange(9.0)[:, None])
    config = describe_architecture(model_of(layer, "float32")).architecture.model_config
    again = keras.saving.deserialize_keras_object(config)
    assert list(again.layers[0].bin_boundaries) == list(layer.bin_boundaries)


def test_a_layer_that_has_learned_nothing() -> None:
    config = json.loads(model_of(layers.StringLookup(), "string").to_json())
    assert with_vocabularies(model_of(layers.StringLookup(), "string"), config)[1] == []


def test_layers_of_models_inside() -> None:
    layer = layers.StringLookup()
    layer.adapt(WORDS)
    inputs = keras.Input((1,), dtype="string")
    model = keras.Model(inputs, model_of(layer, "string")(inputs))
    config = describe_architecture(model).architecture.model_config
    assert config is not None
    inner = config["config"]["layers"][1]["config"]["layers"][1]["config"]
    assert inner["vocabulary"] == ["oak", "ash", "élm"]


def test_what_is_too_large_or_secret_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layers.StringLookup(name="words")
    layer.adapt(np.array([["AKIA" + "X" * 16]]))
    description = describe_architecture(model_of(layer, "string"))
    assert "AKIA" not in json.dumps(description.architecture.model_config)
    assert "credential" in str(description.problem)
    monkeypatch.setattr(vocabularies, "_MOST_TOKENS", 1)
    description = describe_architecture(model_of(layer, "string"))
    assert description.problem == "left out the vocabulary of words: it has 2 tokens"


def test_the_vocabulary_is_a_part_of_the_architecture() -> None:
    ids = set()
    for words in (WORDS, WORDS[:2], WORDS[:2]):
        layer = layers.StringLookup(name="words")
        layer.adapt(words)
        ids.add(describe_architecture(model_of(layer, "string")).architecture.architecture_id)
    assert len(ids) == 2
