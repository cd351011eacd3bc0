from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from modelkb_store import Store
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.prediction.predictor import Predicted
from modelkb_viewer.prediction.reading import Kind, Reading, output_facts, read_outputs
from small_experiment import DATASET, MODEL, STARTED


def _read(writer: ExperimentWriter, **outputs: Any) -> list[Reading]:
    writer.save_experiment()
    experiment = Store(writer.home.files.root).experiment(writer.experiment.experiment_id)
    arrays = tuple(np.asarray(each) for each in outputs.values())
    return read_outputs(
        output_facts(experiment), Predicted(arrays, tuple(outputs), 0.1, 0.0, "jax")
    )


def _evaluated(writer: ExperimentWriter, task: str, output: str = "output", **more: Any) -> None:
    record = EvaluationRecord(
        experiment_id=writer.experiment.experiment_id,
        split="validation",
        output=output,
        task=task,
        source="validation_pass",
        sample_count=5,
        sampled=False,
        created_at=STARTED,
        **more,
    )
    writer.add_evaluations([record])


def test_probabilities_get_the_names_of_their_classes(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "classification", class_names=("cat", "dog"))
    (reading,) = _read(writer, output=[[0.1, 0.9], [0.75, 0.25]])
    assert reading.kind is Kind.CLASSES
    assert reading.of_sample(0).values.tolist() == [["dog", 0.9], ["cat", 0.1]]
    assert reading.of_all(["a", "b"]).values.tolist() == [
        ["a", "dog", 0.9, 0.1, 0.9],
        ["b", "cat", 0.75, 0.75, 0.25],
    ]


def test_one_probability_is_of_the_second_of_two_classes(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "classification", class_names=("bad", "good"))
    (reading,) = _read(writer, output=[[0.75]])
    assert reading.of_sample(0).values.tolist() == [["good", 0.75], ["bad", 0.25]]


def test_logits_become_probabilities(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "classification")
    (reading,) = _read(writer, output=[[0.0, np.log(3.0), -np.inf]])
    assert reading.values.tolist() == [pytest.approx([0.25, 0.75, 0.0])]
    assert reading.labels == ("0", "1", "2")
    assert reading.notes == ("the model gives logits: the softmax of them is shown",)


def test_labels_are_independent_of_each_other(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "multilabel", class_names=("red", "round"))
    (reading,) = _read(writer, output=[[0.9, 0.8]])
    assert reading.kind is Kind.LABELS
    assert reading.of_sample(0).columns.tolist() == ["Label", "Probability"]


def test_a_regression_has_values(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "regression")
    (reading,) = _read(writer, output=[[0.5], [7.0]])
    assert reading.kind is Kind.VALUES
    assert reading.of_all(["a", "b"]).values.tolist() == [["a", 0.5], ["b", 7.0]]
    assert reading.of_sample(1).values.tolist() == [["output", 7.0]]


def test_several_outputs_each_by_its_name(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "regression", output="age")
    _evaluated(writer, "classification", output="kind", class_names=("cat", "dog"))
    kind, age = _read(writer, kind=[[0.1, 0.9]], age=[[4.0]])
    assert (kind.kind, age.kind) == (Kind.CLASSES, Kind.VALUES)
    assert kind.labels == ("cat", "dog")


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        ('"sparse_categorical_crossentropy"', Kind.CLASSES),
        ('"binary_crossentropy"', Kind.LABELS),
        ('"mse"', Kind.VALUES),
        ('{"class_name":"MeanAbsoluteError","config":{}}', Kind.VALUES),
        ('{"output":"mse"}', Kind.VALUES),
        ('["mse"]', Kind.VALUES),
        ('"own_loss"', Kind.CLASSES),
    ],
)
def test_without_an_evaluation_the_loss_tells(writer_factory: Any, loss: str, kind: Kind) -> None:
    writer = writer_factory()
    model = dataclasses.replace(MODEL, compile_config=f'{{"loss":{loss}}}')
    writer.add_model(model)
    writer.add_dataset(DATASET)
    writer.set(model_id=model.model_id, dataset_id=DATASET.dataset_id)
    (reading,) = _read(writer, output=[[0.25, 0.75]])
    assert reading.kind is kind
    if kind is not Kind.VALUES:
        assert reading.labels == ("cat", "dog")


def test_arrays_and_odd_values(writer_factory: Any) -> None:
    writer = writer_factory()
    mask, words, missing = _read(
        writer, mask=np.zeros((1, 4, 4, 2)), words=np.array([["a"]]), missing=[[np.nan, 0.5]]
    )
    assert (mask.kind, words.kind) == (Kind.ARRAY, Kind.ARRAY)
    assert mask.of_all(["a"]).columns.tolist() == ["Sample"]
    assert np.isnan(missing.of_sample(0).iloc[:, 1]).sum() == 1


def test_classes_called_like_columns_get_other_names(writer_factory: Any) -> None:
    writer = writer_factory()
    _evaluated(writer, "classification", class_names=("Sample", "Class"))
    (reading,) = _read(writer, output=[[0.25, 0.75]])
    frame = reading.of_all(["a"])
    assert frame.columns.is_unique
    assert frame["Class"].tolist() == ["Class"]
