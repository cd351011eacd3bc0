"""Random states are read without a draw, and are enough to go on from.

`frameworks/test_backends.py` runs these tests on the other backends.
"""

from __future__ import annotations

import json
import random
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.frameworks import current_framework
from modelkb_callbacks.random_states import random_states

BACKEND = keras.backend.backend()


def states_of(model: Any) -> dict[str, Any]:
    return {s.generator: json.loads(s.state) for s in random_states(model, current_framework())}


def built_model() -> keras.Model:
    inputs = keras.Input((4,))
    inner = keras.Sequential([keras.layers.Dense(4), keras.layers.Dropout(0.5, name="inside")])
    inner.build((None, 4))
    hidden = keras.layers.Dropout(0.5, name="outside")(inner(inputs))
    return keras.Model(inputs, keras.layers.GaussianNoise(1.0, name="noise")(hidden))


def draws(model: keras.Model) -> list[Any]:
    """Draw from everything."""
    found = [random.random(), np.random.rand(), np.random.randn()]
    x = np.ones((3, 4), "float32")
    for tensor in (model(x, training=True), keras.random.normal((3,))):
        found += keras.ops.convert_to_numpy(tensor).ravel().tolist()
    if BACKEND == "tensorflow":
        import tensorflow as tf

        found += tf.random.normal((3,)).numpy().tolist()
        found += tf.random.get_global_generator().normal((3,)).numpy().tolist()
    if BACKEND == "torch":
        import torch

        found += torch.rand(3).tolist()
    return found


def restore(model: keras.Model, states: dict[str, Any]) -> None:
    """Set every generator to its state: what a script that runs the training again does."""
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    numpy_state = states["numpy"]
    numpy_state["state"]["key"] = np.array(numpy_state["state"]["key"], "uint32")
    np.random.set_state(numpy_state)
    layers = {"": model, **{layer.name: layer for layer in model.layers}}
    layers["sequential/inside"] = next(
        layer for layer in model._flatten_layers() if layer.name == "inside"
    )
    for name, state in states.items():
        if name == "keras:global":
            from keras.src.random.seed_generator import global_seed_generator

            global_seed_generator().state.assign(state)
        elif name.startswith("keras:layer:"):
            path = name.removeprefix("keras:layer:")
            key = "sequential/inside" if path.endswith("/inside") else path
            layers[key].seed_generator.state.assign(state)
    if BACKEND == "tensorflow":
        import tensorflow as tf
        from tensorflow.python.eager import context

        tf.random.set_seed(states["tensorflow.seed"])
        version, numbers, gauss = states["tensorflow.eager"]
        context.context()._rng.setstate((version, tuple(numbers), gauss))
        kept = states["tensorflow.generator"]
        tf.random.set_global_generator(
            tf.random.Generator.from_state(kept["state"], kept["algorithm"])
        )
    if BACKEND == "torch":
        import base64

        import torch

        raw = bytearray(base64.b64decode(states["torch.cpu"]))
        torch.set_rng_state(torch.frombuffer(raw, dtype=torch.uint8))


def test_reading_draws_nothing() -> None:
    found = []
    for read in (False, True):
        keras.utils.set_random_seed(3)
        if BACKEND == "tensorflow":  # of which Keras leaves the state as it was
            import tensorflow as tf

            tf.random.get_global_generator().reset_from_seed(3)
        model = built_model()
        found.append([*draws(model)])
        if read:
            first = states_of(model)
            assert states_of(model) == first
        found[-1] += draws(model)
    assert found[0] == found[1]


def test_they_are_enough_to_go_on_from() -> None:
    keras.utils.set_random_seed(5)
    model = built_model()
    draws(model)
    states = states_of(model)
    expected = draws(model)
    random.seed(1)
    np.random.seed(1)
    draws(model)
    assert draws(model) != expected
    restore(model, states)
    assert draws(model) == expected


def test_names() -> None:
    keras.utils.set_random_seed(5)
    model = built_model()
    keras.random.normal((1,))
    found = set(states_of(model))
    assert {"python", "numpy", "keras:global"} <= found
    layers = {name for name in found if name.startswith("keras:layer:")}
    assert {name.rpartition("/")[2] for name in layers} == {
        "inside",
        "keras:layer:outside",
        "keras:layer:noise",
    }


def test_what_is_not_there_is_not_made() -> None:
    keras.utils.set_random_seed(5)  # takes Keras' global generator away
    before = random.getstate()
    assert "keras:global" not in states_of(built_model_without_draws())
    assert random.getstate() == before


def built_model_without_draws() -> keras.Model:
    model = keras.Sequential([keras.layers.Dense(2, kernel_initializer="zeros")])
    model.build((None, 4))
    return model


def test_a_models_own_and_a_layers_second() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = keras.random.SeedGenerator(1)
            self.second = keras.random.SeedGenerator(2)

    found = states_of(Own())
    assert found["keras:layer:"] == [1, 0]
    assert found["keras:layer::1"] == [2, 0]


def test_another_bit_generator_of_numpy() -> None:
    former = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(3))
    try:
        states = states_of(built_model_without_draws())
        expected = np.random.rand()
        np.random.set_state(states["numpy"])
        assert np.random.rand() == expected
    finally:
        np.random.set_bit_generator(former)
