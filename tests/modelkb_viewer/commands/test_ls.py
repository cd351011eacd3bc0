from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record, record_complete_experiment

Modelkb = Callable[..., Any]
WriterFactory = Callable[..., ExperimentWriter]


@pytest.fixture
def two_projects(store: Path) -> Path:
    """A store with an experiment in each of two projects."""
    record_complete_experiment(store, "digits", 1)
    record_complete_experiment(store, "cats & [dogs]", 2, name="a long name " * 20)
    return store


def test_a_line_for_each_experiment(modelkb: Modelkb, two_projects: Path) -> None:
    ended = modelkb("ls", "--store", two_projects)

    assert ended.exit_code == 0
    assert ended.errors == ""
    lines = ended.output.splitlines()
    first = next(line for line in lines if "0000000001" in line)
    second = next(line for line in lines if "0000000002" in line)
    assert lines.index(first) < lines.index(second)
    for text in ("digits", "run-1", "finished", "0:01:15", "0.75", "0.6667", "0.3333"):
        assert text in first
    assert "cats & [dogs]" in second
    assert ("a long name " * 20).strip() in second


def test_what_was_measured_on_validation_data_comes_first(
    modelkb: Modelkb, recorded_experiment: Experiment
) -> None:
    header = next(line for line in modelkb("ls").output.splitlines() if "status" in line)

    assert recorded_experiment.id
    assert header.split() == [
        "id",
        "project",
        "name",
        "status",
        "val_loss",
        "accuracy",
        "loss",
        "started",
        "took",
    ]


def test_some_of_many_metrics_are_shown(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    names = ["loss", "accuracy", "auc", "recall", "precision"]
    writer.append_metrics(
        [
            metric_record(experiment_id, 0, 0.5, split=split, metric=name)
            for split in ("train", "validation")
            for name in names
        ]
    )

    header = next(line for line in modelkb("ls").output.splitlines() if "status" in line)

    assert header.split()[4:8] == ["val_accuracy", "val_auc", "val_precision", "val_recall"]
    assert len([name for name in modelkb("ls", "--json").json[0] if "metrics." in name]) == 10


@pytest.mark.usefixtures("_two_hours_east")
def test_times_are_in_the_time_zone_of_the_reader(modelkb: Modelkb, two_projects: Path) -> None:
    output = modelkb("ls", "--store", two_projects).output

    # The first run started at 03:05:05.678 UTC.
    assert "2026-01-02 05:05:05" in output


def test_json_has_the_columns_of_the_listing(modelkb: Modelkb, two_projects: Path) -> None:
    rows = modelkb("ls", "--store", two_projects, "--json").json

    assert [row["project"] for row in rows] == ["digits", "cats & [dogs]"]
    assert rows[0]["experiment_id"] == "20260102-030405678-0000000001"
    assert rows[0]["started_at"] == "2026-01-02T03:05:05.678000+00:00"
    assert rows[0]["params.learning_rate"] == 0.001
    assert rows[0]["metrics.val_loss"] == 2 / 3
    assert rows[0]["tags"] == []
    assert rows[0]["parent_experiment_id"] is None


def test_one_project(modelkb: Modelkb, two_projects: Path) -> None:
    for project, name in (("digits", "run-1"), ("cats & [dogs]", "a long name " * 20)):
        rows = modelkb("ls", "--store", two_projects, "--project", project, "--json").json
        assert [row["name"] for row in rows] == [name]

    text = modelkb("ls", "--store", two_projects, "--project", "digits").output
    assert "run-1" in text
    assert "dogs" not in text


def test_a_project_without_experiments(modelkb: Modelkb, two_projects: Path) -> None:
    ended = modelkb("ls", "--store", two_projects, "--project", "birds")

    assert ended.exit_code == 0
    assert ended.output == "No experiments in project 'birds' yet.\n"
    assert modelkb("ls", "--store", two_projects, "--project", "birds", "--json").json == []


def test_an_empty_store(modelkb: Modelkb, store: Path) -> None:
    create_store(LocalFiles(store))

    assert modelkb("ls").output == "No experiments yet.\n"
    assert modelkb("ls", "--json").json == []


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_store_that_is_not_there(modelkb: Modelkb, store: Path, options: list[str]) -> None:
    ended = modelkb("ls", "--store", store, *options)

    assert ended.exit_code == 1
    assert ("StoreNotFoundError" in ended.output) is bool(options)
    assert str(store) in ended.errors


def test_a_loss_that_is_no_number(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    for value in (math.nan, math.inf, 0.5):
        writer = writer_factory()
        writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, value)])

    rows = modelkb("ls", "--json").json
    assert [row["metrics.loss"] for row in rows] == [None, None, 0.5]
    output = modelkb("ls").output
    assert "nan" in output
    assert "inf" in output


def test_a_run_that_has_nothing_yet(modelkb: Modelkb, writer_factory: WriterFactory) -> None:
    writer_factory(name="just begun")

    line = next(line for line in modelkb("ls").output.splitlines() if "just begun" in line)
    assert "running" in line
    assert "None" not in line


def test_a_damaged_file_is_named(
    modelkb: Modelkb, recorded_experiment: Experiment, store: Path
) -> None:
    (path,) = (store / "metric_summaries").rglob("*.parquet")
    path.write_bytes(b"PAR1")

    ended = modelkb("ls")

    assert ended.exit_code == 1
    assert ended.errors.startswith(f"modelkb: {path} is damaged")
    assert modelkb("show", recorded_experiment.id).exit_code == 0, "it needs no summaries"


@pytest.mark.usefixtures("two_projects")
def test_in_an_order_and_not_too_many(modelkb: Modelkb) -> None:
    def order(*options: str) -> list[str]:
        rows = modelkb("ls", "--json", *options).json
        return [row["experiment_id"][-1] for row in rows]

    assert order() == ["1", "2"]
    assert order("--order-by=-started_at,name") == ["2", "1"]
    assert order("--order-by", "-experiment_id", "--limit", "1") == ["2"]
    ended = modelkb("ls", "--order-by", "nothing")
    assert ended.exit_code == 1
    assert "nothing" in ended.errors
