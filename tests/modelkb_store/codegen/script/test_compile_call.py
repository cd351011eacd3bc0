from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import keras
import pytest

from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.compile_call import CompileCall
from modelkb_store.codegen.script.constants import Constants
from modelkb_store.codegen.script.recorded import Recorded, Setting

Factory = Callable[..., Recorded]


def written(recorded: Recorded, definitions: tuple[str, ...] = ()) -> tuple[str, str, list[str]]:
    """Return the call, the constants and the problems."""
    constants = Constants(())
    writer = CompileCall(recorded, Speller(definitions=definitions), constants)
    keywords = writer.keywords()
    if keywords is None:
        return "", constants.text(), writer.problems
    call = ast.Call(ast.Name("compile"), [], keywords)
    return ast.unparse(ast.fix_missing_locations(call)), constants.text(), writer.problems


def compiled(**arguments: Any) -> dict[str, Any]:
    """Return how Keras serializes what a model was compiled with."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(**arguments)
    config: dict[str, Any] = model.get_compile_config()
    return config


def test_defaults_are_left_out_and_the_rate_is_a_constant(recorded_factory: Factory) -> None:
    config = compiled(optimizer="adam", loss="mse", metrics=["mae"])

    assert written(recorded_factory(compile_config=config)) == (
        "compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), "
        "loss='mse', metrics=['mae'])",
        "LEARNING_RATE = 0.001",
        [],
    )


def test_everything_that_was_set_is_written(recorded_factory: Factory) -> None:
    config = compiled(
        optimizer=keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9), momentum=0.9
        ),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        loss_weights=[2.0],
        metrics=[keras.metrics.TopKCategoricalAccuracy(k=3)],
        weighted_metrics=["mse"],
        run_eagerly=True,
        steps_per_execution=3,
    )

    text, constants, problems = written(recorded_factory(compile_config=config))

    assert constants == ""
    assert problems == []
    for part in (
        "ExponentialDecay(0.1, 100, 0.9)",
        "momentum=0.9",
        "BinaryCrossentropy(label_smoothing=0.1)",
        "loss_weights=[2.0]",
        "TopKCategoricalAccuracy(k=3)",
        "weighted_metrics=['mse']",
        "run_eagerly=True",
        "steps_per_execution=3",
    ):
        assert part in text
    again = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    eval(text.replace("compile(", "model.compile("), {"keras": keras, "model": again})
    made = again.get_compile_config()
    made["optimizer"]["config"]["name"] = config["optimizer"]["config"]["name"]  # it is counted
    assert made == config


@pytest.mark.parametrize(
    ("backend", "gpus", "value", "shown"),
    [
        ("tensorflow", [], False, ""),
        ("tensorflow", [], True, "jit_compile=True"),
        ("tensorflow", ["a GPU"], True, ""),
        ("tensorflow", ["a GPU"], False, "jit_compile=False"),
        ("jax", [], True, ""),
        ("jax", [], False, "jit_compile=False"),
        ("torch", [], False, ""),
        ("torch", [], True, "jit_compile=True"),
    ],
)
def test_xla_is_said_where_keras_would_choose_otherwise(
    recorded_factory: Factory, backend: str, gpus: list[str], value: bool, shown: str
) -> None:
    recorded = recorded_factory(
        environment={"backend": backend, "gpus": gpus},
        compile_config={"loss": "mse", "jit_compile": value},
    )

    assert written(recorded)[0] == f"compile(loss='mse'{', ' if shown else ''}{shown})"


def test_a_scaled_optimizer_keeps_its_rate_as_a_constant(recorded_factory: Factory) -> None:
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.02))
    config = compiled(optimizer=optimizer, loss="mse")

    text, constants, _ = written(recorded_factory(compile_config=config))

    assert "LossScaleOptimizer(keras.optimizers.Adam(learning_rate=LEARNING_RATE)" in text
    assert constants == "LEARNING_RATE = 0.02"


def test_own_losses_are_named(recorded_factory: Factory) -> None:
    config = {
        "loss": {
            "module": "builtins",
            "class_name": "function",
            "config": "my_loss",
            "registered_name": "function",
        },
    }

    assert written(recorded_factory(compile_config=config), ("my_loss",))[0] == (
        "compile(loss=my_loss)"
    )
    text, _, problems = written(recorded_factory(compile_config=config))
    assert text == "compile()"
    assert problems[0].startswith("compile: loss could not be written")


def test_what_keras_could_not_serialize_comes_from_hyperparameters(
    recorded_factory: Factory,
) -> None:
    settings = {
        "optimizer": Setting("SGD", "compile"),
        "learning_rate": Setting(0.5, "compile"),
        "optimizer.momentum": Setting(0.9, "compile"),
        "loss": Setting("mse", "compile"),
    }

    text, constants, problems = written(recorded_factory(settings=settings, compile_config=None))

    assert text == (
        "compile(optimizer=keras.optimizers.SGD(learning_rate=LEARNING_RATE, momentum=0.9), "
        "loss='mse')"
    )
    assert constants == "LEARNING_RATE = 0.5"
    assert problems == [
        "compile: Keras could not serialize it; written from the recorded hyperparameters, "
        "which may not be all"
    ]


def test_the_rate_is_that_before_callbacks_changed_it(recorded_factory: Factory) -> None:
    config = compiled(optimizer=keras.optimizers.SGD(0.045), loss="mse")
    settings = {"learning_rate": Setting(0.05, "compile")}

    constants = written(recorded_factory(settings=settings, compile_config=config))[1]

    assert constants == "LEARNING_RATE = 0.05"


def test_no_optimizer_is_not_the_usual_one(recorded_factory: Factory) -> None:
    recorded = recorded_factory(compile_config={"optimizer": None, "loss": "mse"})

    assert written(recorded)[0] == "compile(optimizer=None, loss='mse')"


def test_nothing_known_is_a_problem(recorded_factory: Factory) -> None:
    text, _, problems = written(recorded_factory(compile_config=None))

    assert text == ""
    assert problems == ["compile: how the model was compiled is not known"]
