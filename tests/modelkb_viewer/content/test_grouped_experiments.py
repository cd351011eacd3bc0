from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.records import HyperparameterRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.grouped_experiments import MISSING, group_experiments
from small_experiment import experiment_record, metric_record
from sweep import record_sweep


def test_groups_with_their_best_and_spread(store: Path) -> None:
    record_sweep(store, count=6)
    opened = Store(store)
    rows = opened.experiment_table("sweep")

    groups = group_experiments(opened, "sweep", rows, "params.optimizer", "val_accuracy")

    assert list(groups["value"]) == ["adam", "rmsprop", "sgd"]
    assert list(groups["runs"]) == [2, 2, 2]
    adam = groups.iloc[0]
    # Runs 0 and 3 end with 0.95 * 0.62 and 0.95 * 0.68.
    assert adam["best"] == pytest.approx(0.646)
    assert adam["mean"] == pytest.approx(0.6175)
    assert adam["std"] == pytest.approx(0.0403, abs=1e-4)


def test_a_loss_is_better_when_lower(store: Path) -> None:
    record_sweep(store, count=2)
    opened = Store(store)

    groups = group_experiments(
        opened, "sweep", opened.experiment_table("sweep"), "params.learning_rate", "val_loss"
    )

    assert groups["std"].isna().all()
    assert groups["best"].tolist() == groups["mean"].tolist() == pytest.approx([0.4, 0.4])


def test_the_condition_of_a_group_finds_its_runs(store: Path) -> None:
    values = ['"auto"', "8", "8", "[1, 2]", "true", None, '"8"', '{"a": 1}']
    for number, value in enumerate(values):
        _record(store, number, value)
    opened = Store(store)
    rows = opened.experiment_table("odd")

    groups = group_experiments(opened, "odd", rows, "params.mixed", "loss")

    assert set(groups["value"]) == {"auto", "8", "[1, 2]", "true", MISSING, '{"a": 1}'}
    for group in groups.itertuples():
        if group.value == '{"a": 1}':
            assert group.condition == ""
        else:
            assert len(opened.experiment_ids("odd", where=group.condition)) == group.runs


def test_groups_of_what_nothing_has(store: Path) -> None:
    record_sweep(store, count=2)
    opened = Store(store)
    rows = opened.experiment_table("sweep")

    groups = group_experiments(opened, "sweep", rows, "params.missing", "val_missing")

    assert groups[["value", "runs"]].to_numpy().tolist() == [[MISSING, 2]]
    assert groups["best"].isna().all()
    assert group_experiments(opened, "sweep", rows.slice(0, 0), "status", "loss").empty


def _record(store: Path, number: int, value: str | None) -> None:
    record = experiment_record(number)
    writer = ExperimentWriter(store, "odd", record)
    if value is not None:
        writer.write_hyperparameters(
            [HyperparameterRecord(record.experiment_id, "mixed", value, None, "user")]
        )
    writer.append_metrics([metric_record(record.experiment_id, 0, 1.0 + number)])
    writer.close()
