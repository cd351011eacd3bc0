from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Store
from modelkb_viewer.content.selected_experiments import selected_experiments
from modelkb_viewer.content.side_by_side import (
    environments_side_by_side,
    facts_side_by_side,
    hyperparameters_side_by_side,
    metrics_side_by_side,
    only_differences,
    side_by_side,
)
from sweep import record_run, record_sweep


@pytest.fixture
def two(store: Path) -> tuple[Store, pd.DataFrame]:
    """A store with two runs, and their rows."""
    ids = record_sweep(store, count=2)
    opened = Store(store)
    return opened, selected_experiments(opened, ids)


def test_hyperparameters_and_their_differences(two: tuple[Store, pd.DataFrame]) -> None:
    frame = hyperparameters_side_by_side(two[1])
    assert frame.to_dict("list") == {
        "Hyperparameter": ["batch_size", "learning_rate", "optimizer"],
        "run-1000": ["16", "0.001", "adam"],
        "run-1001": ["32", "0.002", "sgd"],
    }


def test_metrics_say_who_is_best(two: tuple[Store, pd.DataFrame]) -> None:
    frame = metrics_side_by_side(*two)
    assert list(frame.columns) == ["Metric", "Value", "Best", "run-1000", "run-1001"]
    assert frame["Metric"].iloc[0] == "val_accuracy"
    best = frame[(frame["Metric"] == "val_accuracy") & (frame["Value"] == "best")].iloc[0]
    assert best["Best"] == "run-1000"
    assert best["run-1000"] == pytest.approx(0.95 * 0.62)
    loss = frame[frame["Metric"] == "val_loss"]
    assert loss["Best"].tolist() == ["run-1000, run-1001"] * 3
    kept = only_differences(frame, fixed=3)
    assert set(kept["Metric"]) == {"val_accuracy", "accuracy"}


def test_facts_come_from_experiment_model_and_source(two: tuple[Store, pd.DataFrame]) -> None:
    frame = facts_side_by_side(*two).set_index("Fact")
    assert frame.loc["Model class"].tolist() == ["Sequential", "Sequential"]
    assert frame.loc["Epochs"].tolist() == ["4 of 4", "4 of 4"]
    assert frame.loc["Tags"].tolist() == ["baseline", None]
    assert frame.loc["Duration"].tolist() == ["30.0s", "31.0s"]


def test_an_experiment_that_has_hardly_begun(store: Path) -> None:
    nothing = {"model_id": None, "environment_id": None, "dataset_id": None, "ended_at": None}
    ids = [record_run(store, "sweep", 1, duration_seconds=None, **nothing)]
    opened = Store(store)
    experiments = selected_experiments(opened, ids)
    facts = facts_side_by_side(opened, experiments).set_index("Fact")["run-1001"]
    assert facts["Model class"] is None
    assert facts["Duration"] is None
    assert environments_side_by_side(opened, experiments).empty


def test_environments_have_a_row_per_package(two: tuple[Store, pd.DataFrame]) -> None:
    frame = environments_side_by_side(*two).set_index("Setting")
    assert frame.loc["package numpy"].tolist() == ["2.4.6", "2.4.6"]
    assert frame.loc["$TF_DETERMINISTIC_OPS"].tolist() == ["1", "1"]
    assert only_differences(frame.reset_index())["Setting"].tolist() == ["seed"]


def test_what_one_does_not_have_is_a_difference() -> None:
    columns = {"a": {"same": 1, "rate": 0.1, "none": None}, "b": {"same": 1, "none": ""}}
    frame = side_by_side(columns, "Hyperparameter")
    kept = only_differences(frame)
    assert kept.to_dict("records") == [{"Hyperparameter": "rate", "a": "0.1", "b": None}]


def test_an_experiment_may_be_called_as_a_column() -> None:
    frame = side_by_side({"Hyperparameter": {"rate": 1}}, "Hyperparameter")
    assert frame.iloc[0].tolist() == ["rate", "1"]


def test_one_experiment_has_no_differences_to_show() -> None:
    frame = side_by_side({"a": {"rate": 1}}, "Hyperparameter")
    assert len(only_differences(frame)) == 1
