from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from modelkb_store import ArtifactNotFoundError, Experiment, Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.prediction.input_spec import InputSpec, input_specs, number
from small_experiment import ARCHITECTURE, DATASET, ENVIRONMENT


def _input_layer(name: str, *shape: int | None, dtype: str = "float32") -> dict[str, Any]:
    config = {"name": name, "batch_shape": [None, *shape], "dtype": dtype}
    return {"class_name": "InputLayer", "config": config, "name": name}


def _recorded(
    writer: ExperimentWriter, inputs: Any, model_config: dict[str, Any] | None, **environment: Any
) -> Experiment:
    if inputs is not None:
        dataset = dataclasses.replace(DATASET, inputs=json.dumps(inputs))
        writer.add_dataset(dataset)
        writer.set(dataset_id=dataset.dataset_id)
    if model_config is not None:
        architecture = dataclasses.replace(ARCHITECTURE, model_config=model_config)
        writer.add_architecture(architecture, [])
        writer.set(architecture_id=architecture.architecture_id)
    if environment:
        row = dataclasses.replace(ENVIRONMENT, **environment)
        writer.add_environment(row)
        writer.set(environment_id=row.environment_id)
    writer.save_experiment()
    return Store(writer.home.files.root).experiment(writer.experiment.experiment_id)


def test_what_was_seen_in_training(writer_factory: Any) -> None:
    seen = [{"name": None, "shape": [8, 8, 1], "dtype": "float32", "min": 0, "max": 16.0}]
    config = {"class_name": "Sequential", "config": {"layers": [_input_layer("pixels", 8, 8, 1)]}}
    (spec,) = input_specs(_recorded(writer_factory(), seen, config))
    assert spec == InputSpec(None, "pixels", (8, 8, 1), "float32", 0.0, 16.0)
    assert spec.text() == "8 x 8 x 1, float32, values 0..16 in training"


def test_the_model_tells_what_the_data_does_not(writer_factory: Any) -> None:
    layers = [_input_layer("b", 3), _input_layer("a", 2, dtype="int32"), {"class_name": "Dense"}]
    config = {"layers": layers, "input_layers": {"x": ["a", 0, 0], "y": ["b", 0, 0]}}
    specs = input_specs(_recorded(writer_factory(), None, {"class_name": "F", "config": config}))
    assert [(spec.name, spec.shape, spec.dtype) for spec in specs] == [
        ("a", (2,), "int32"),
        ("b", (3,), "float32"),
    ]


def test_inputs_by_name_meet_their_layers(writer_factory: Any) -> None:
    seen = [{"name": name, "shape": [None], "dtype": "float64"} for name in ("a", "b")]
    layers = [_input_layer("b", 3), _input_layer("a", 2)]
    config = {"layers": layers, "input_layers": [["b", 0, 0], ["a", 0, 0]]}
    specs = input_specs(_recorded(writer_factory(), seen, {"class_name": "F", "config": config}))
    assert [(spec.name, spec.shape) for spec in specs] == [("a", (2,)), ("b", (3,))]


def test_without_data_and_layers_nothing_is_known(writer_factory: Any) -> None:
    with pytest.raises(ArtifactNotFoundError, match="shape of the inputs"):
        input_specs(_recorded(writer_factory(), None, None))


def test_channels_first_is_the_environments(writer_factory: Any) -> None:
    seen = [{"name": None, "shape": [3, 32, 48], "dtype": "float32", "min": "nan", "max": "inf"}]
    experiment = _recorded(writer_factory(), seen, None, image_data_format="channels_first")
    (spec,) = input_specs(experiment)
    assert spec.picture_size == (32, 48, 3)
    assert (spec.low, spec.high) == (None, None)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((28, 28, 1), (28, 28, 1)),
        ((None, None, 3), (None, None, 3)),
        ((28, 28), (28, 28, 1)),
        ((784,), (28, 28, 1)),
        ((20, 6), None),
        ((None, 64), None),
        ((10,), None),
        ((8, 8, 16), None),
        ((3, 2, 1), None),
        ((), None),
    ],
)
def test_what_can_be_a_picture(shape: tuple[int | None, ...], size: Any) -> None:
    assert InputSpec(None, "input", shape, "float32").picture_size == size
    assert InputSpec(None, "input", shape, "string").picture_size is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (16.0, "16"),
        (14936.21, "14,940"),
        (65535, "65,535"),
        (0.123456, "0.1235"),
        (0.00001234, "1.234e-05"),
        (-1.35067, "-1.351"),
        (1e15, "1e+15"),
        (None, "unknown"),
    ],
)
def test_numbers_have_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text
