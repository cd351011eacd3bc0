from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from modelkb_callbacks import model_arguments
from modelkb_callbacks.model_arguments import ModelArguments


class Gan(keras.Model):  # type: ignore[misc]
    """A model that was given whatever the test gives."""

    def __init__(self, generator: Any, discriminator: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.generator = generator
        self._discriminator = discriminator


class Block(layers.Layer):  # type: ignore[misc]
    """A layer that Keras cannot serialize, as a layer was passed to it."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner


class Broken(layers.Layer):  # type: ignore[misc]
    """A layer whose configuration fails, and which keeps nothing."""

    def get_config(self) -> dict[str, Any]:
        raise RuntimeError("no")


def test_models_become_their_configuration_and_nothing_is_drawn() -> None:
    model = Gan(keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dropout(0.5)]), "b")
    model.generator.compile("adam", "mse")
    before = random.getstate(), np.random.get_state(legacy=False)["state"]["pos"]

    values = ModelArguments.of(model).values

    assert (random.getstate(), np.random.get_state(legacy=False)["state"]["pos"]) == before
    assert values["generator"]["class_name"] == "Sequential"
    assert "compile_config" not in values["generator"]
    kinds = [each["class_name"] for each in values["generator"]["config"]["layers"]]
    assert kinds == ["InputLayer", "Dense", "Dropout"]
    assert values["discriminator"] == "b"
    assert json.loads(json.dumps(values)) == values


def test_objects_of_keras_and_lists_of_layers() -> None:
    shared = layers.Dense(1)
    model = Gan([shared, {"again": shared}], keras.losses.Huber(delta=2.0))

    values = ModelArguments.of(model).values

    assert values["generator"][1]["again"] == {"class_name": "__same__", "config": "generator.0"}
    assert values["discriminator"]["config"]["delta"] == 2.0


def test_own_layers_without_a_configuration_are_what_they_were_made_with() -> None:
    entry = ModelArguments.of(Gan(Block(layers.ReLU(max_value=6.0)))).values["generator"]

    assert entry["class_name"] == "Block"
    assert entry["config"]["inner"]["config"]["max_value"] == 6.0


def test_of_what_cannot_be_described_the_class_is_kept() -> None:
    assert ModelArguments.of(Gan(Broken())).values["generator"]["class_name"] == "Broken"
    values = ModelArguments.of(Gan(Path("x"), keras.losses.Loss)).values
    assert set(values["generator"]) == {"class_name"}
    assert values["discriminator"] == "Loss"


def test_layers_of_two_arguments_are_not_written_twice() -> None:
    inputs = keras.Input((3,))
    hidden = layers.Dense(2)(inputs)
    model = Gan(keras.Model(inputs, hidden), keras.Model(inputs, layers.ReLU()(hidden)))

    values = ModelArguments.of(model).values

    assert values["discriminator"] == {
        "class_name": "Functional",
        "shares_layers_with": "generator",
    }


def test_what_is_too_large_is_left_out(monkeypatch: Any) -> None:
    monkeypatch.setattr(model_arguments, "_MOST_BYTES", 1_000)
    many = keras.Sequential([layers.Dense(2) for _ in range(20)])

    values = ModelArguments.of(Gan(many, layers.ReLU())).values

    assert values["generator"] == {"class_name": "Sequential"}
    assert "config" in values["discriminator"]


def test_a_layer_that_holds_what_holds_it_has_an_end() -> None:
    block = Block(layers.ReLU())
    object.__setattr__(block, "inner", block)  # Keras itself would follow it without end

    entry = ModelArguments.of(Gan([block])).values["generator"][0]

    depth = 0
    while "config" in entry:
        entry, depth = entry["config"]["inner"], depth + 1
    assert 0 < depth < 10
    assert entry["class_name"] in ("Block", "__same__")


def test_one_that_was_never_set_up_leaves_the_others() -> None:
    class Bare(layers.Layer):  # type: ignore[misc]
        def _flatten_layers(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("not set up")

    model = Gan("a", "b")
    model.__dict__["generator"] = Bare()

    assert ModelArguments.of(model).values == {
        "generator": {"class_name": "Bare"},
        "discriminator": "b",
    }
