from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.compilation import compile_settings, compile_table
from small_experiment import MODEL, experiment_record

SCHEDULE = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.1, "decay_steps": 10, "name": "decay"},
}
ADAM = {
    "class_name": "Adam",
    "config": {"name": "adam", "learning_rate": 0.0010000000474974513, "clipnorm": None},
}


def compiled(store: Path, recorded: str | None) -> Experiment:
    writer = ExperimentWriter(store, "digits", experiment_record())
    writer.add_model(replace(MODEL, compile_config=recorded))
    writer.set(status="finished", model_id=MODEL.model_id)
    writer.save_experiment()
    writer.close()
    return Store(store).experiment(writer.experiment.experiment_id)


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        (
            {"jit_compile": False, "loss": "mse", "metrics": ["mae", "mse"], "optimizer": ADAM},
            [
                ("Optimizer", "Adam"),
                ("Optimizer: learning rate", "0.001"),
                ("Loss", "mse"),
                ("Jit compile", "no"),
                ("Metrics", "mae, mse"),
            ],
        ),
        (
            {"optimizer": {"class_name": "SGD", "config": {"learning_rate": SCHEDULE}}},
            [
                ("Optimizer", "SGD"),
                (
                    "Optimizer: learning rate",
                    "ExponentialDecay(initial_learning_rate=0.1, decay_steps=10)",
                ),
            ],
        ),
        (
            {
                "optimizer": "rmsprop",
                "loss": {"a": "mse", "b": {"class_name": "function", "config": "own_loss"}},
                "loss_weights": [1.0, None],
            },
            [
                ("Optimizer", "rmsprop"),
                ("Loss", "a: mse, b: own_loss"),
                ("Loss weights", "1, none"),
            ],
        ),
    ],
)
def test_what_is_set_is_told_in_words(
    store: Path, settings: dict[str, Any], rows: list[tuple[str, str]]
) -> None:
    experiment = compiled(store, json.dumps(settings))

    assert compile_settings(experiment) == settings
    assert list(compile_table(experiment).itertuples(index=False, name=None)) == rows


@pytest.mark.parametrize("recorded", [None, "[]"])
def test_what_was_not_compiled_has_no_settings(store: Path, recorded: str | None) -> None:
    experiment = compiled(store, recorded)

    assert compile_settings(experiment) == {}
    assert compile_table(experiment).empty
