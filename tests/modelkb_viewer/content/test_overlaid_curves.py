from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_viewer.content.overlaid_curves import COLUMNS, overlaid_curves
from modelkb_viewer.content.selected_experiments import selected_experiments
from sweep import EPOCHS, record_sweep


def test_curves_come_by_experiment_metric_and_epoch(store: Path) -> None:
    ids = record_sweep(store, count=2)
    opened = Store(store)
    experiments = selected_experiments(opened, ids[::-1])
    found = overlaid_curves(opened, experiments, ["val_loss", "loss"])
    lines = found[["experiment", "series"]].drop_duplicates()
    assert [tuple(line) for line in lines.to_numpy()] == [
        ("run-1001", "val_loss"),
        ("run-1001", "loss"),
        ("run-1000", "val_loss"),
        ("run-1000", "loss"),
    ]
    assert found["x"].tolist() == [*range(EPOCHS)] * 4
    assert found["value"].iloc[0] == pytest.approx(1.1 - 0.7 / EPOCHS)


def test_time_counts_from_the_start_of_each_experiment(store: Path) -> None:
    ids = record_sweep(store, count=2)
    opened = Store(store)
    experiments = selected_experiments(opened, ids)
    found = overlaid_curves(opened, experiments, ["loss"], "time")
    wall_times = opened.metrics(ids[:1], "loss")["wall_time"]
    expected = (wall_times - experiments["started_at"][0]).dt.total_seconds()
    assert found["x"][:EPOCHS].tolist() == expected.tolist()


def test_nothing_to_draw(store: Path) -> None:
    ids = record_sweep(store, count=1)
    opened = Store(store)
    experiments = selected_experiments(opened, ids)
    for found in (
        overlaid_curves(opened, experiments, ["unknown"]),
        overlaid_curves(opened, experiments, []),
        overlaid_curves(opened, experiments.head(0), ["loss"]),
    ):
        assert list(found.columns) == COLUMNS
        assert found.empty
