"""Folders of MLflow; those that MLflow itself wrote are read where it is exported to."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from mlflow_stores import RUN, START, make_mlruns
from modelkb_store.records import Status
from modelkb_viewer.exchange.errors import DamagedSourceError
from modelkb_viewer.exchange.importing.mlflow_runs import find_runs


@pytest.mark.parametrize("place", ["mlruns", "."])
def test_runs_are_whole(tmp_path: Path, place: str) -> None:
    make_mlruns(tmp_path / "mlruns")
    (read,) = find_runs(tmp_path / place, None)
    run = read()
    assert (run.origin, run.project, run.owner) == (RUN, "it's", "grace")
    assert run.name == "a long name: of two lines"
    assert run.status is Status.FAILED
    assert run.started_at.timestamp() == START / 1000
    assert run.parameters == {"lr": 0.001}
    found = {(point.split, point.metric): point.value for point in run.points if point.epoch == 0}
    assert found == {("validation", "loss"): 0.5, ("train", "system/cpu"): 2e-3}
    assert [math.isnan(point.value) for point in run.points if point.metric == "loss"] == [0, 1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics/val_loss", "yesterday 0.5 0\n"),
        ("metrics/val_loss", "17\n"),
        ("meta.yaml", "not so\n"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    run = make_mlruns(tmp_path) / "42" / RUN
    (run / name).write_text(text)
    (read,) = find_runs(tmp_path, None)
    with pytest.raises(DamagedSourceError, match=name):
        read()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    run = make_mlruns(tmp_path) / "42" / RUN
    (run / "params" / "lr").write_bytes(b"\xff")
    (read,) = find_runs(tmp_path, None)
    with pytest.raises(DamagedSourceError, match="lr"):
        read()
