from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Store
from modelkb_viewer.content.metric_values import Summary, metric_names, metric_values, summarize
from modelkb_viewer.content.selected_experiments import LABEL, selected_experiments
from sweep import record_sweep


def test_the_metric_of_validation_that_grows_comes_first(store: Path) -> None:
    record_sweep(store, count=1)
    assert metric_names(Store(store).experiments())[0] == "val_accuracy"


@pytest.mark.parametrize(
    ("summary", "loss", "accuracy"),
    [("best", 0.4, 0.589), ("last", 0.4, 0.589), ("first", 0.925, 0.14725)],
)
def test_values_of_a_recorded_curve(
    store: Path, summary: Summary, loss: float, accuracy: float
) -> None:
    ids = record_sweep(store, count=2)
    opened = Store(store)
    experiments = selected_experiments(opened, ids[::-1])
    losses = metric_values(opened, experiments, "val_loss", summary)
    accuracies = metric_values(opened, experiments, "val_accuracy", summary)
    assert losses.index.tolist() == experiments[LABEL].tolist()
    assert losses["run-1000"] == pytest.approx(loss)
    assert accuracies["run-1000"] == pytest.approx(accuracy)


def test_a_diverged_curve_has_no_number_and_a_missing_one_no_row() -> None:
    curves = pd.DataFrame(
        {
            "experiment_id": ["a", "a", "b", "b"],
            "value": [1.0, math.inf, math.nan, math.nan],
        }
    )
    best = summarize(curves, "loss", "best")
    last = summarize(curves, "loss", "last")
    assert best["a"] == 1.0
    assert math.isnan(last["a"])
    assert math.isnan(best["b"])
    assert set(best.index) == {"a", "b"}
