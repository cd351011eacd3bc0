from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Store
from modelkb_viewer.content.hyperparameter_values import (
    Hyperparameter,
    as_hyperparameter,
    varying_hyperparameters,
)
from modelkb_viewer.content.importance import importances
from modelkb_viewer.content.metric_values import metric_values
from modelkb_viewer.content.selected_experiments import selected_experiments
from modelkb_viewer.content.what_works import COLUMNS, headline, what_works
from sweep import record_sweep


def test_the_best_optimizer_of_a_recorded_sweep(store: Path) -> None:
    ids = record_sweep(store, count=12)
    opened = Store(store)
    experiments = selected_experiments(opened, ids)
    values = metric_values(opened, experiments, "val_accuracy")
    hyperparameters = varying_hyperparameters(experiments)
    table = what_works(hyperparameters, values, "val_accuracy")
    assert list(table.columns) == COLUMNS
    optimizers = table[table["hyperparameter"] == "optimizer"]
    assert optimizers["value"].iloc[0] == "adam"
    assert optimizers["runs"].tolist() == [4, 4, 4]
    assert optimizers["best"].iloc[0] == pytest.approx(0.95 * 0.8)
    assert table.groupby("hyperparameter")["runs"].sum().eq(12).all()


def test_of_a_loss_less_is_better_and_what_diverged_counts_as_a_run() -> None:
    optimizer = as_hyperparameter("optimizer", pd.Series(["sgd", "sgd", "adam", "adam"]))
    values = pd.Series([0.1, 0.3, 0.5, math.nan])
    table = what_works([optimizer], values, "loss")
    assert table.to_dict("records") == [
        {
            "hyperparameter": "optimizer",
            "value": "sgd",
            "runs": 2,
            "median": 0.2,
            "best": 0.1,
            "top_quarter": 0.5,
        },
        {
            "hyperparameter": "optimizer",
            "value": "adam",
            "runs": 2,
            "median": 0.5,
            "best": 0.5,
            "top_quarter": 0.0,
        },
    ]


def headline_of(hyperparameter: Hyperparameter, values: pd.Series, metric: str) -> str:
    found = importances([hyperparameter], values, metric)
    return headline(found, what_works([hyperparameter], values, metric), len(values), metric)


def test_the_headline_names_the_value_and_its_runs() -> None:
    names = ["adam"] * 12 + ["sgd"] * 12
    values = pd.Series([0.9 + 0.001 * run for run in range(12)] + [0.5] * 12)
    said = headline_of(as_hyperparameter("optimizer", pd.Series(names)), values, "val_accuracy")
    assert said == "optimizer adam: 12 runs, median val_accuracy 0.9055; best of 2 values."


def test_the_headline_says_when_nothing_stands_out_or_there_is_too_little() -> None:
    names = as_hyperparameter("optimizer", pd.Series(["adam", "sgd"] * 10))
    values = pd.Series([float(run // 2) for run in range(20)])
    assert "no hyperparameter stands out" in headline_of(names, values, "loss")
    few = as_hyperparameter("optimizer", pd.Series(["adam", "sgd"]))
    assert "too few" in headline_of(few, values[:2], "loss")


def test_the_headline_says_that_a_range_is_one() -> None:
    rates = as_hyperparameter("rate", pd.Series([run / 100 for run in range(1, 41)]))
    values = pd.Series([run / 50 for run in range(1, 41)])
    said = headline_of(rates, values, "val_accuracy")
    assert said == "rate 0.31 to 0.4: 10 runs, median val_accuracy 0.71; best of 4 ranges."
