"""It is certain that a seed gives a model's start, or it is not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from modelkb_callbacks.starts_from_seed import fresh_starts_from_seed, starts_from_seed
from modelkb_store.codegen.network.ordering import construction_order

SEED = 3
SHAPE = (5, 8)


def is_certain(model: keras.Model, seed: int | None = SEED) -> bool:
    """Ask, and see that nothing is drawn by it."""
    before = random.getstate(), np.random.get_state(legacy=False)["state"]["pos"]
    certain = starts_from_seed(model, seed, construction_order(json.loads(model.to_json())))
    assert (random.getstate(), np.random.get_state(legacy=False)["state"]["pos"]) == before
    return certain


def attention() -> keras.Model:
    """Layers that draw when they are built."""
    inputs = keras.Input(SHAPE)
    hidden = layers.Dense(8)(inputs)
    attended = layers.MultiHeadAttention(2, 4, dropout=0.1)(hidden, hidden)
    normal = layers.LayerNormalization()(attended)
    return keras.Model(inputs, layers.SeparableConv1D(4, 3)(normal))


def recurrent() -> keras.Model:
    """Cells, copies, and layers that hold layers."""
    rnn = layers.LSTM(6, return_sequences=True, dropout=0.2)
    stack = [keras.Input(SHAPE), layers.Bidirectional(rnn), layers.GRU(4), layers.Dense(1)]
    return keras.Sequential(stack)


def nested() -> keras.Model:
    """A model in a model, without inputs of its own until it is called."""
    inner = keras.Sequential([layers.Dense(3, kernel_initializer="he_normal"), layers.Dropout(0.4)])
    return keras.Sequential([keras.Input(SHAPE), layers.BatchNormalization(), inner])


BUILDERS: dict[str, Callable[[], keras.Model]] = {
    "attention": attention,
    "recurrent": recurrent,
    "nested": nested,
}


def shared() -> keras.Model:
    """One initializer without a seed in two layers, which its configuration does not tell."""
    initializer = keras.initializers.HeNormal()
    stack = [layers.Dense(3, kernel_initializer=initializer) for _ in range(2)]
    return keras.Sequential([keras.Input(SHAPE), *stack])


def of_own_weights() -> keras.Model:
    """A layer of which nobody knows what made its variable."""

    class Own(layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(shape[-1],), name="scale", initializer="ones")

        def call(self, x: Any) -> Any:
            return x * self.scale

    return keras.Sequential([keras.Input(SHAPE), Own(), layers.Dense(2)])


@pytest.mark.parametrize("name", BUILDERS)
def test_a_model_that_the_seed_gives(name: str) -> None:
    keras.utils.set_random_seed(SEED)
    model = BUILDERS[name]()
    assert is_certain(model)
    assert not is_certain(model, SEED + 1)
    assert not is_certain(model, None)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_draw_before(name: str) -> None:
    keras.utils.set_random_seed(SEED)
    random.random()
    assert not is_certain(BUILDERS[name]())


@pytest.mark.parametrize("build", [shared, of_own_weights])
def test_what_code_of_its_configuration_would_not_give(build: Callable[[], keras.Model]) -> None:
    keras.utils.set_random_seed(SEED)
    assert not is_certain(build())


def test_weights_that_were_changed() -> None:
    for changed in ("bias", "kernel"):
        keras.utils.set_random_seed(SEED)
        model = nested()
        variable = getattr(model.layers[1].layers[0], changed)
        variable.assign(variable + 1)
        assert not is_certain(model)


def test_a_generator_that_was_used() -> None:
    keras.utils.set_random_seed(SEED)
    model = nested()
    model(np.ones((1, *SHAPE), "float32"), training=True)
    assert not is_certain(model)


def test_steps_that_were_taken() -> None:
    keras.utils.set_random_seed(SEED)
    model = nested()
    model.compile("sgd", "mse")
    assert is_certain(model)
    model.optimizer.iterations.assign(1)
    assert not is_certain(model)


def test_an_adapted_layer() -> None:
    keras.utils.set_random_seed(SEED)
    scaling = layers.Normalization()
    scaling.adapt(np.arange(40, dtype="float32").reshape(5, 8))
    assert not is_certain(keras.Sequential([keras.Input((8,)), scaling, layers.Dense(1)]))


def test_seeds_that_the_user_gave_are_not_drawn() -> None:
    keras.utils.set_random_seed(SEED)
    given = layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(seed=1))
    stack = [keras.Input(SHAPE), given, layers.Dropout(0.1, seed=2), layers.Dense(1)]
    assert is_certain(keras.Sequential(stack))


def test_a_quantized_model() -> None:
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4)])
    model.layers[0].quantize("int8")
    assert not is_certain(model)


def test_a_model_without_weights_yet() -> None:
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential([layers.Dense(3), layers.Dropout(0.2), layers.Dense(1)])
    assert fresh_starts_from_seed(model, SEED)
    assert not fresh_starts_from_seed(model, SEED + 1)
    assert not starts_from_seed(model, SEED, None)


def test_what_is_odd_is_not_certain() -> None:
    keras.utils.set_random_seed(SEED)
    model = nested()
    assert not starts_from_seed(model, SEED, ["nowhere"])
    assert not starts_from_seed(object(), SEED, None)
    assert not fresh_starts_from_seed(object(), SEED)


class Given(keras.Model):  # type: ignore[misc]
    """A model that was given two, and makes a layer itself."""

    def __init__(self, first: keras.Model, second: keras.Model) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.last = layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.last(self.second(self.first(inputs)))


def stack(name: str | None = None) -> keras.Model:
    return keras.Sequential(
        [layers.Dense(4, name=name), layers.Dropout(0.1), layers.Dense(5, name=name and f"{name}2")]
    )


@pytest.mark.parametrize("first_is_made_first", [True, False])
@pytest.mark.parametrize("names", [(None, None), ("a", "b")], ids=["counted", "own"])
def test_models_that_were_given_are_made_in_the_order_of_their_names(
    first_is_made_first: bool, names: tuple[str | None, str | None]
) -> None:
    """Keras counts the layers, or at least the models."""
    keras.utils.set_random_seed(SEED)
    made = [stack(names[0]), stack(names[1])]
    model = Given(*(made if first_is_made_first else reversed(made)))

    assert fresh_starts_from_seed(model, SEED)
    model(np.zeros((1, 5), "float32"))
    assert starts_from_seed(model, SEED, None)


@pytest.mark.parametrize("first_is_made_first", [True, False])
def test_an_order_that_no_name_tells_is_that_of_the_arguments(first_is_made_first: bool) -> None:
    keras.utils.set_random_seed(SEED)
    made = [layers.Dense(5, name="a"), layers.Dense(5, name="b")]
    model = Given(*(made if first_is_made_first else reversed(made)))

    assert fresh_starts_from_seed(model, SEED) is first_is_made_first
