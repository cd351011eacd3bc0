from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record, record_complete_experiment, write_weights

Modelkb = Callable[..., Any]
WriterFactory = Callable[..., ExperimentWriter]


def facts(output: str) -> dict[str, str]:
    """Return the lines of the head by their names."""
    head = output.partition("hyperparameter")[0]
    return {line[:14].strip(): line[14:] for line in head.splitlines() if line[:14].strip()}


def cells(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines()]


@pytest.mark.usefixtures("_two_hours_east")
def test_the_head_says_what_the_run_was(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    ended = modelkb("show", recorded_experiment.id)

    assert ended.exit_code == 0
    assert ended.errors == ""
    assert facts(ended.output) == {
        "id": "20260102-030405678-0000000001",
        "name": "run-1",
        "project": "digits",
        "status": "finished",
        "owner": "ada on lab",
        "started": "2026-01-02 05:05:05",
        "took": "0:01:15",
        "epochs": "3 of 3",
        "seed": "7",
        "model": "Sequential, 12,345 parameters",
        "data": "arrays: 1,500 samples, inputs (4,)",
        "Keras": "3.15.1 on tensorflow 2.21.0, Python 3.11.9",
        "architecture": str(recorded_experiment.architecture_path()),
        "weights": "end (40 bytes each)",
    }


def test_tables_show_settings_and_curves(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    shown = cells(modelkb("show", recorded_experiment.id).output)

    assert ["learning_rate", "0.001", "compile"] in shown
    assert ["epochs", "3", "fit"] in shown
    assert ["optimizer", "adam", "compile"] in shown
    assert ["metric", "split", "first", "lowest", "highest", "last"] in shown
    assert ["loss", "train", "1", "0.3333", "1", "0.3333"] in shown
    assert ["loss", "validation", "2", "0.6667", "2", "0.6667"] in shown
    assert ["accuracy", "train", "0.25", "0.25", "0.75", "0.75"] in shown


def test_evaluations_are_shown(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    output = modelkb("show", recorded_experiment.id).output

    assert (
        "Evaluation of kind on 50 validation samples (validation pass): accuracy 0.84\n" in output
    )
    assert (
        "Evaluation of age on a sample of 50 validation samples (validation pass): "
        "r2 0.5, mae 1.25, rmse 1.5\n" in output
    )
    assert ["true", "\\", "predicted", "cat", "dog"] in cells(output)
    assert ["cat", "20", "5"] in cells(output)
    assert ["dog", "3", "22"] in cells(output)


@pytest.mark.parametrize("wanted", ["20260102", "0000000001"])
def test_an_id_may_be_shortened(
    modelkb: Modelkb, recorded_experiment: Experiment, wanted: str
) -> None:
    assert modelkb("show", wanted, "--json").json["experiment_id"] == recorded_experiment.id


def test_json_has_everything(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    shown = modelkb("show", recorded_experiment.id, "--json").json

    assert shown["project"] == "digits"
    assert shown["status"] == "finished"
    assert shown["started_at"] == "2026-01-02T03:05:05.678000+00:00"
    assert shown["duration_seconds"] == 75.0
    assert shown["hyperparameters"] == {"learning_rate": 0.001, "epochs": 3, "optimizer": "adam"}
    assert shown["model"]["parameter_count"] == 12345
    assert shown["dataset"]["class_names"] == ["cat", "dog"]
    assert shown["environment"]["distributions"]["keras"] == "3.15.1"
    assert shown["environment"]["seed"] == 7
    assert len(shown["metrics"]) == 9
    assert shown["metrics"][0]["value"] == 1.0
    assert shown["evaluations"][0]["confusion_matrix"] == [[20, 5], [3, 22]]
    assert [artifact["kind"] for artifact in shown["artifacts"]] == ["console"]
    assert [(row["kind"], row["size_bytes"]) for row in shown["checkpoints"]] == [("end", 40)]


def test_json_has_null_for_what_is_no_number(
    modelkb: Modelkb, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    writer.append_metrics(
        [metric_record(experiment_id, epoch, value) for epoch, value in enumerate([math.nan, 0.5])]
    )

    shown = modelkb("show", experiment_id, "--json").json

    assert [row["value"] for row in shown["metrics"]] == [None, 0.5]
    assert "nan" in modelkb("show", experiment_id).output


def test_a_run_that_has_nothing_yet(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    writer = writer_factory(epochs_planned=5, tags=("demo", "first"), notes="a try")

    ended = modelkb("show", writer.experiment.experiment_id)

    assert ended.exit_code == 0
    shown = facts(ended.output)
    assert list(shown) == [
        "id",
        "name",
        "project",
        "status",
        "owner",
        "started",
        "epochs",
        "tags",
        "notes",
    ]
    assert shown["status"] == "running"
    assert shown["epochs"] == "running, 5 planned"
    assert shown["tags"] == "demo, first"
    assert shown["notes"] == "a try"


def test_a_run_that_does_not_know_its_epochs(
    modelkb: Modelkb, writer_factory: WriterFactory
) -> None:
    writer = writer_factory(epochs_planned=None)

    assert "None" not in modelkb("show", writer.experiment.experiment_id).output


def test_problems_are_shown(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    writer = writer_factory(problems=("the disk was full", "stopped by ValueError: x"))

    output = modelkb("show", writer.experiment.experiment_id).output

    assert facts(output)["problems"] == "the disk was full; stopped by ValueError: x"


def evaluation(experiment_id: str, classes: int) -> EvaluationRecord:
    return EvaluationRecord(
        experiment_id=experiment_id,
        split="validation",
        output="digit",
        task="classification",
        source="second_pass",
        sample_count=classes,
        sampled=False,
        created_at=metric_record(experiment_id, 0, 0).wall_time,
        confusion_matrix=tuple(
            tuple(int(row == column) for column in range(classes)) for row in range(classes)
        ),
        accuracy=1.0,
    )


def test_classes_without_names_are_numbered(
    modelkb: Modelkb, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    writer.add_evaluations([evaluation(writer.experiment.experiment_id, 3)])

    shown = cells(modelkb("show", writer.experiment.experiment_id).output)

    assert ["true", "\\", "predicted", "0", "1", "2"] in shown
    assert ["2", "0", "0", "1"] in shown


def test_a_matrix_of_many_classes_is_left_out(
    modelkb: Modelkb, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    writer.add_evaluations([evaluation(writer.experiment.experiment_id, 50)])

    output = modelkb("show", writer.experiment.experiment_id).output

    assert "accuracy 1" in output
    assert "predicted" not in output


def test_checkpoints_are_counted(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    for epoch in range(3):
        writer.add_checkpoint("epoch", write_weights, epoch=epoch)

    def shown() -> str:
        return facts(modelkb("show", writer.experiment.experiment_id).output)["weights"]

    assert shown() == "3 epochs (40 bytes each)"
    for epoch in (0, 2):
        writer.add_checkpoint("best", write_weights, epoch=epoch, metric="loss", value=0.5)
    writer.add_checkpoint("end", write_weights)
    assert shown() == "best, end, 3 epochs (40 bytes each)"
    ended = modelkb("show", writer.experiment.experiment_id, "--json")
    assert '"epoch": 2,' in ended.output
    assert [(row["kind"], row["epoch"], row["metric"]) for row in ended.json["checkpoints"]] == [
        *(("epoch", epoch, None) for epoch in range(3)),
        ("best", 2, "loss"),
        ("end", None, None),
    ]


def test_a_run_without_weights(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    shown = facts(modelkb("show", writer.experiment.experiment_id).output)
    assert "weights" not in shown


def test_an_unknown_id(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    ended = modelkb("show", recorded_experiment.id[:-1] + "2")

    assert ended.exit_code == 1
    assert ended.output == ""
    assert f"Did you mean {recorded_experiment.id}?" in ended.errors
    assert "Traceback" not in ended.errors


def test_an_id_that_fits_several(modelkb: Modelkb, store: Path) -> None:
    for number in (1, 2):
        record_complete_experiment(store, number=number)

    ended = modelkb("show", "20260102")

    assert ended.exit_code == 1
    assert "fits 2 experiments" in ended.errors


def test_a_store_that_is_not_there(modelkb: Modelkb, store: Path) -> None:
    ended = modelkb("show", "20260102", "--store", store)

    assert ended.exit_code == 1
    assert f"No ModelKB store at {store}" in ended.errors


def test_a_damaged_file_is_named(
    modelkb: Modelkb, recorded_experiment: Experiment, store: Path
) -> None:
    (path,) = (store / "models").rglob("*.parquet")
    path.write_bytes(b"")

    ended = modelkb("show", recorded_experiment.id)

    assert ended.exit_code == 1
    assert ended.errors.startswith(f"modelkb: {path} is damaged")


def test_several_are_shown_one_after_the_other(modelkb: Modelkb, store: Path) -> None:
    for number in (1, 2):
        record_complete_experiment(store, "digits", number)

    text = modelkb("show", "run-2", "run-1").output
    several = modelkb("show", "run-2", "run-1", "--json").json

    assert text == f"{modelkb('show', 'run-2').output}\n{modelkb('show', 'run-1').output}"
    assert [each["name"] for each in several] == ["run-2", "run-1"]
    assert several[1] == modelkb("show", "run-1", "--json").json
