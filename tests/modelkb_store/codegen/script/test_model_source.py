from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers

from modelkb_callbacks.model_arguments import ModelArguments
from modelkb_store.codegen.script.model_source import model_source
from modelkb_store.codegen.script.own_definitions import parse_definitions
from modelkb_store.codegen.script.recorded import Recorded, Setting

DEFINITIONS = """
class Vae(keras.Model):
    def __init__(self, encoder, decoder, beta=1.0, activation=None):
        super().__init__()
        self.encoder, self.decoder, self.beta = encoder, decoder, beta
        self.activation = activation

class Called(Vae):
    def call(self, inputs):
        return self.decoder(self.encoder(inputs))

class Unknown(library.Autoencoder):
    pass

def clipped(x):
    return x

class Pooling(layers.Layer):
    pass
"""
Written = Callable[..., tuple[list[str], tuple[str, ...]]]


class Vae(keras.Model):  # type: ignore[misc]
    """The class of the definitions."""

    def __init__(
        self, encoder: Any, decoder: Any, beta: float = 1.0, activation: Any = None
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.beta = encoder, decoder, beta
        self.activation = activation


class Pooling(layers.Layer):  # type: ignore[misc]
    """A layer of the user's own."""


def clipped(x: Any) -> Any:
    return x


@pytest.fixture
def written(recorded_factory: Callable[..., Recorded]) -> Written:
    """Writes a model of the class; returns its functions and the problems."""

    def write(
        given: dict[str, Any], model_class: str = "Vae", **changes: Any
    ) -> tuple[list[str], tuple[str, ...]]:
        settings = {f"model.{name}": Setting(value, "model") for name, value in given.items()}
        recorded = recorded_factory(
            settings=settings,
            model_config=None,
            implementation={"model_class": f"vae.{model_class}"},
            **changes,
        )
        code = model_source(recorded, parse_definitions(DEFINITIONS))
        return list(code.functions), code.problems

    return write


def encoder() -> keras.Model:
    inputs = keras.Input((8,))
    return keras.Model(inputs, layers.Dense(2, name="mean")(layers.Dense(4)(inputs)))


def decoder() -> keras.Model:
    return keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(8)], name="back")


def test_models_get_functions_named_for_the_arguments(written: Written) -> None:
    keras.backend.clear_session(free_memory=False)  # it counts the names of layers
    model = Vae(encoder(), decoder(), 0.5)

    functions, problems = written(ModelArguments.of(model).values)

    assert [ast.parse(each).body[0].name for each in functions] == [  # type: ignore[attr-defined]
        "build_encoder",
        "build_decoder",
        "build_model",
    ]
    made = "Vae(encoder=build_encoder(), decoder=build_decoder(), beta=0.5, activation=None)"
    assert functions[-1] == f"def build_model():\n    return {made}"
    assert "name='mean'" in functions[0]
    assert "dense" not in functions[0]
    assert problems == ()


def test_they_are_made_in_the_order_of_the_names_of_their_layers(written: Written) -> None:
    keras.backend.clear_session(free_memory=False)
    made_first = decoder()
    model = Vae(encoder(), made_first)

    functions, _ = written(ModelArguments.of(model).values)

    assert functions[-1].splitlines()[1:3] == [
        "    decoder = build_decoder()",
        "    encoder = build_encoder()",
    ]
    made = "Vae(encoder=encoder, decoder=decoder, beta=1.0, activation=None)"
    assert functions[-1].endswith(f"return {made}")


def test_one_object_given_twice_is_one_object(written: Written) -> None:
    both = decoder()

    functions, problems = written(ModelArguments.of(Vae(both, [both, layers.ReLU()])).values)

    assert "Vae(encoder=encoder, decoder=[encoder, decoder_1]" in functions[-1]
    assert problems == ()


def test_an_own_layer_is_told_from_its_class(written: Written) -> None:
    keras.backend.clear_session(free_memory=False)
    model = Vae(Pooling(), Pooling, activation=clipped)

    functions, _ = written(ModelArguments.of(model).values)

    assert "Vae(encoder=Pooling(" in functions[-1]
    assert functions[-1].endswith(", decoder=Pooling, beta=1.0, activation=clipped)")


def test_models_that_share_layers_must_be_put_in(written: Written) -> None:
    first = encoder()
    second = keras.Model(first.inputs, layers.Dense(1)(first.layers[1].output))

    functions, problems = written(ModelArguments.of(Vae(first, second)).values)

    assert "decoder=None" in functions[-1]
    assert problems == ("model: decoder of Vae, which must be put in: it has layers of encoder",)


@pytest.mark.parametrize("model_class", ["Called", "Unknown"])
def test_weights_are_loaded_into_a_model_that_was_called(
    written: Written, model_class: str
) -> None:
    values = ModelArguments.of(Vae(decoder(), decoder())).values
    start = {"has_initial_weights": True, "input_shape": [None, 8]}

    functions, _ = written(values, model_class, **start)

    assert "model(keras.Input(shape=(8,)))" in functions[-1]
    assert " model(" not in written(values, model_class)[0][-1]


def test_one_that_is_never_called_says_that_it_is_built(written: Written) -> None:
    values = ModelArguments.of(Vae(decoder(), decoder())).values

    functions, _ = written(values, has_initial_weights=True, input_shape=[None, 8])

    assert functions[-1].endswith("\n    model.built = True\n    return model")


def test_of_older_recordings_models_must_be_put_in(written: Written) -> None:
    functions, problems = written({"encoder": "Functional", "decoder": "Sequential", "beta": 0.5})

    made = "Vae(encoder=None, decoder=None, beta=0.5)"
    assert functions == [f"def build_model():\n    return {made}"]
    assert problems == (
        "model: encoder of Vae, which must be put in",
        "model: decoder of Vae, which must be put in",
        "model: activation of Vae, which it does not keep; the script has the default",
    )
