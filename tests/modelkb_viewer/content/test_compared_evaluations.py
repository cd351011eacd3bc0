from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Experiment, Store
from modelkb_viewer.content.compared_evaluations import confusion_matrices, evaluation_measures
from small_experiment import record_complete_experiment
from sweep import record_run


@pytest.fixture
def pairs(store: Path) -> list[tuple[str, Experiment]]:
    """An evaluated experiment, and one that was not."""
    evaluated = record_complete_experiment(store).experiment.experiment_id
    without = record_run(store, "sweep", 3)
    opened = Store(store)
    return [("evaluated", opened.experiment(evaluated)), ("not", opened.experiment(without))]


def test_measures_are_means_of_the_classes(pairs: list[tuple[str, Experiment]]) -> None:
    frame = evaluation_measures(pairs)
    assert set(frame["experiment"]) == {"evaluated"}
    rows = pairs[0][1].table("evaluations").to_pylist()
    assert len(frame) == len(rows)
    recall = [sum(row["recall"]) / len(row["recall"]) for row in rows if row["recall"]]
    assert frame["recall"].dropna().tolist() == pytest.approx(recall)


def test_matrices_by_split_and_output(pairs: list[tuple[str, Experiment]]) -> None:
    found = confusion_matrices(pairs)
    assert found
    for (split, output), by_label in found.items():
        expected = pairs[0][1].confusion_matrix(split, output)
        pd.testing.assert_frame_equal(by_label["evaluated"], expected)


def test_nothing_was_evaluated(pairs: list[tuple[str, Experiment]]) -> None:
    assert evaluation_measures(pairs[1:]).empty
    assert confusion_matrices(pairs[1:]) == {}
