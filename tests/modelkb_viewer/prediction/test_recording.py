from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from modelkb_store import Experiment, Store
from modelkb_viewer.prediction.predictor import Predicted
from modelkb_viewer.prediction.recording import LaterPredictions, TriedPredictions
from small_experiment import record_complete_experiment

INPUTS = [np.zeros((2, 4), "float32")]
PREDICTED = Predicted((np.ones((2, 3), "float32"),), ("kind",), 0.25, 0.0, "tensorflow")


def experiments(store: Path, count: int) -> list[Experiment]:
    for number in range(count):
        record_complete_experiment(store, number=number)
    opened = Store(store)
    return [opened.experiment(each) for each in opened.experiment_ids()]


def test_groups_are_written_soon(store: Path) -> None:
    runs = experiments(store, 2)
    later = LaterPredictions(TriedPredictions(str(store)), after_seconds=0.05)
    for number in range(30):
        later.add(runs[number % 2], INPUTS, PREDICTED)
    until = time.monotonic() + 20
    while sum(len(run.predictions()) for run in runs) < 30 and time.monotonic() < until:
        time.sleep(0.02)
    for run in runs:
        rows = run.predictions()
        assert len(rows) == 15
        assert set(rows["duration_seconds"]) == {0.25}
        assert rows["prediction_id"].is_unique


def test_what_waits_is_written_on_demand_and_where_it_is_much(store: Path) -> None:
    (run,) = experiments(store, 1)
    later = LaterPredictions(TriedPredictions(str(store)), after_seconds=1000, most=10)
    for _ in range(9):
        later.add(run, INPUTS, PREDICTED)
    assert len(run.predictions()) == 0
    later.add(run, INPUTS, PREDICTED)
    assert len(run.predictions()) == 10
    later.add(run, INPUTS, PREDICTED)
    later.write()
    later.write()
    assert len(run.predictions()) == 11


def test_a_store_that_cannot_be_written_is_told_of(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (run,) = experiments(store, 1)
    (tmp_path / "file").write_text("no folder")
    later = LaterPredictions(TriedPredictions(str(tmp_path / "file")), after_seconds=1000)
    later.add(run, INPUTS, PREDICTED)
    with caplog.at_level(logging.WARNING):
        later.write()
    assert "1 predictions could not be recorded" in caplog.text
