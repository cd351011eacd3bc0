from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import InvalidNameError, Store
from modelkb_store.ids import is_experiment_id
from modelkb_store.records import Status
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.deletion import delete_experiment
from modelkb_viewer.exchange.errors import DamagedSourceError
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, Point, RunReader
from modelkb_viewer.exchange.importing.run_import import ImportOutcome, import_runs

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
RUN = ImportedRun(
    origin="abc",
    project="digits",
    name="good-hare-1",
    source="MLflow: run abc",
    started_at=STARTED,
    ended_at=STARTED + timedelta(seconds=60),
    status=Status.FAILED,
    owner="grace",
    tags=("a", "b", "a"),
    notes="a note",
    parameters={"lr": 0.1, "units": 64, "nan": float("nan"), "name": "x", "list": [1], "on": True},
    points=[
        Point(epoch, 10 * epoch, split, "loss", epoch / 2, STARTED + timedelta(seconds=epoch))
        for epoch in range(3)
        for split in ("train", "validation")
    ],
    problems=("it failed",),
)


def imported(store: Path, *runs: ImportedRun) -> ImportOutcome:
    readers: Sequence[RunReader] = [lambda run=run: run for run in runs]
    return import_runs(str(store), "mlflow", readers)


def test_an_experiment_is_made_of_a_run(store: Path) -> None:
    (made,) = imported(store, RUN).new
    assert is_experiment_id(made)
    assert made.startswith("20260102-030405678-")
    experiment = Store(store).experiment(made)
    record = experiment.record
    assert (experiment.project, record.name, record.owner) == ("digits", "good-hare-1", "grace")
    assert (record.status, record.duration_seconds, record.epochs_completed) == ("failed", 60, 3)
    assert (record.started_at, record.ended_at) == (STARTED, RUN.ended_at)
    assert record.tags == ("a", "b", "imported from mlflow")
    assert record.notes == "a note\n\nImported from MLflow: run abc."
    assert record.problems == ("it failed",)
    expected = {**RUN.parameters, "nan": "nan"}
    assert experiment.hyperparameters() == expected
    rows = experiment.table("hyperparameters").to_pylist()
    numbers = {row["name"]: row["number"] for row in rows if row["name"] != "nan"}
    assert numbers == {"lr": 0.1, "units": 64, "name": None, "list": None, "on": 1}
    points = [
        (row.epoch, row.step, row.split, row.metric, row.value, row.wall_time)
        for row in experiment.metrics().itertuples()
    ]
    assert len(points) == 6
    assert points[5] == (2, 20, "validation", "loss", 1.0, STARTED + timedelta(seconds=2))


def test_a_second_time_adds_nothing(store: Path) -> None:
    other = replace(RUN, origin="def")
    (first,) = imported(store, RUN).new
    outcome = imported(store, RUN, other, other, replace(RUN, project="cats"))
    assert (len(outcome.new), outcome.unchanged) == (2, 2)
    # Its start was told otherwise, as of a file that was copied.
    assert imported(store, replace(RUN, started_at=STARTED - timedelta(days=1))).unchanged == 1
    assert imported(store, replace(RUN, origin="x", exported_from=first)).unchanged == 1
    assert len(Store(store).experiments()) == 3


def test_a_deleted_one_stays_deleted(store: Path) -> None:
    (made,) = imported(store, RUN).new
    delete_experiment(Store(store).files, made)
    outcome = imported(store, RUN)
    assert (outcome.new, outcome.deleted) == ([], [made])


def test_an_import_that_was_cut_off_is_completed(store: Path) -> None:
    no_number: Any = "a text"
    points = [*RUN.points * 1000, replace(RUN.points[0], value=no_number)]
    with pytest.raises(Exception, match="a text"):
        imported(store, replace(RUN, points=points))
    (cut_off,) = Store(store).experiment_ids()
    assert len(Store(store).experiment(cut_off).metrics()) == 5000
    (made,) = imported(store, RUN).new
    assert made == cut_off
    experiment = Store(store).experiment(made)
    assert (experiment.record.status, experiment.record.problems) == ("failed", ("it failed",))
    assert len(experiment.metrics()) == 6
    assert imported(store, RUN).unchanged == 1


def test_a_damaged_run_does_not_stop_the_others(store: Path) -> None:
    def damaged() -> ImportedRun:
        raise DamagedSourceError(Path("x.csv"), "line 3")

    told: list[tuple[int, int]] = []
    outcome = import_runs(
        str(store), "csv", [damaged, lambda: RUN], lambda *done: told.append(done)
    )
    assert len(outcome.new) == 1
    assert "x.csv is damaged" in outcome.damaged[0]
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_name_that_no_project_can_have(store: Path) -> None:
    with pytest.raises(InvalidNameError):
        imported(store, replace(RUN, project=" digits"))


def test_the_store_is_whole(store: Path) -> None:
    imported(store, RUN, replace(RUN, origin="def", points=[], parameters={}, ended_at=None))
    assert check(Store(store).files) == []
