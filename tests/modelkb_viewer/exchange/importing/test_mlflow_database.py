"""Databases of MLflow; those that MLflow itself wrote are read where it is exported to."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

from mlflow_stores import OTHER_RUN, RUN, START, make_database
from modelkb_store.records import Status
from modelkb_viewer.exchange.errors import DamagedSourceError, NothingToImportError
from modelkb_viewer.exchange.importing.mlflow_runs import find_runs


def test_runs_are_whole(tmp_path: Path) -> None:
    make_database(tmp_path / "mlflow.db")
    run, other = (read() for read in find_runs(tmp_path, None))
    assert (run.origin, run.project, run.name, run.owner) == (RUN, "digits", "good-hare-1", "ada")
    assert run.status is Status.FINISHED
    assert run.started_at.timestamp() == START / 1000
    assert run.ended_at is not None
    assert (run.ended_at - run.started_at).total_seconds() == 5
    assert run.parameters == {"lr": 0.001, "layers": [64, 32], "name": "007"}
    assert (run.tags, run.notes) == (("stage: late", "empty"), "a note")
    assert (other.origin, other.name, other.status) == (OTHER_RUN, OTHER_RUN, Status.INTERRUPTED)
    assert other.problems == ("it had not ended in MLflow when it was imported",)


def test_curves_are_in_order(tmp_path: Path) -> None:
    run = find_runs(make_database(tmp_path / "any.sqlite"), "mine")[0]()
    assert run.project == "mine"
    loss = [point for point in run.points if (point.split, point.metric) == ("validation", "loss")]
    assert [point.epoch for point in loss] == [0, 1, 2]
    assert math.isnan(loss[0].value)
    assert [point.value for point in loss[1:]] == [0.5, -math.inf]
    big = [point for point in run.points if point.metric == "big"]
    assert [(point.epoch, point.step) for point in big] == [(0, 3_000_000_000), (1, 4_000_000_000)]


def test_nothing_is_written(tmp_path: Path) -> None:
    path = make_database(tmp_path / "mlflow.db")
    path.chmod(0o444)
    before = path.read_bytes(), sorted(tmp_path.iterdir())
    for read in find_runs(path, None):
        read()
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before


def test_another_database(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "other.db")
    database.execute("create table runs (name text)")
    database.close()
    with pytest.raises(NothingToImportError, match="the tables of MLflow"):
        find_runs(tmp_path / "other.db", None)


def test_a_damaged_database(tmp_path: Path) -> None:
    path = make_database(tmp_path / "mlflow.db")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(DamagedSourceError, match=r"mlflow\.db"):
        find_runs(path, None)


def test_what_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for place in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(NothingToImportError, match="mlruns"):
            find_runs(place, None)
