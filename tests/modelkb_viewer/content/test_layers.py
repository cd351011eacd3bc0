from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.layers import layer_table, layers_of, shape_text, totals
from small_experiment import ARCHITECTURE, LAYER, MODEL, experiment_record


@pytest.fixture
def nested(store: Path) -> Experiment:
    """An experiment with a model in a model, of which parts are frozen."""
    inner = replace(
        LAYER, position=1, path="base", name="base", class_name="Sequential", config=None
    )
    frozen = replace(
        LAYER,
        position=2,
        path="base/dense",
        inbound=(),
        trainable=False,
        trainable_parameter_count=0,
        output_shape='{"a": [null, 2], "b": [[null, 3], [4]]}',
        config="no JSON",
    )
    flat = replace(
        LAYER,
        position=3,
        path="flatten",
        parameter_count=0,
        trainable_parameter_count=0,
        output_shape=None,
        dtype=None,
    )
    last = replace(LAYER, position=4, path="last", trainable_parameter_count=10)
    writer = ExperimentWriter(store, "digits", experiment_record())
    writer.add_architecture(ARCHITECTURE, [inner, frozen, flat, last])
    writer.add_model(MODEL)
    writer.set(
        status="finished",
        architecture_id=ARCHITECTURE.architecture_id,
        model_id=MODEL.model_id,
    )
    writer.save_experiment()
    writer.close()
    return Store(store).experiment(writer.experiment.experiment_id)


def test_one_row_for_each_layer(nested: Experiment) -> None:
    table = layer_table(nested)

    assert list(table.columns) == ["Layer", "Class", "Output shape", "Parameters", "Trainable"]
    assert table.to_numpy().tolist() == [
        ["base", "Sequential", "(None, 2)", 10, "partly"],
        ["base/dense", "Dense", "a: (None, 2), b: (None, 3), (4,)", 10, "no"],
        ["flatten", "Dense", "", 0, ""],
        ["last", "Dense", "(None, 2)", 10, "yes"],
    ]


def test_the_settings_of_layers(nested: Experiment) -> None:
    layers = layers_of(nested)

    assert list(layers) == ["base", "base/dense", "flatten", "last"]
    assert layers["base"].settings is None
    assert layers["base/dense"].settings == {"config": "no JSON"}
    assert layers["base/dense"].inputs == ()
    assert layers["flatten"].settings == {"units": 2}
    assert layers["flatten"].dtype == ""
    assert layers["last"].inputs == ("input",)


def test_totals_are_those_of_the_model(nested: Experiment) -> None:
    assert totals(nested) == {
        "Layers": 1,
        "Parameters": 12345,
        "Trainable": 12000,
        "Not trainable": 345,
    }


def test_a_run_without_a_model_has_none(store: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record())
    writer.save_experiment()
    writer.close()
    experiment = Store(store).experiment(writer.experiment.experiment_id)

    assert layer_table(experiment).empty
    assert layers_of(experiment) == {}
    assert totals(experiment) == {}


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("[null, 28, 28]", "(None, 28, 28)"),
        ("[]", "()"),
        ("[[null, 2], null]", "(None, 2), None"),
        ("odd", "odd"),
        (None, ""),
    ],
)
def test_shapes_are_as_keras_prints_them(recorded: str | None, shown: str) -> None:
    assert shape_text(recorded) == shown
