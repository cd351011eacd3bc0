from __future__ import annotations

from pathlib import Path

from modelkb_store import Store
from modelkb_viewer.content.selected_experiments import (
    LABEL,
    selected_experiments,
    unique_labels,
)
from sweep import record_run, record_sweep


def test_experiments_come_in_the_order_of_their_ids(store: Path) -> None:
    first, second, third = record_sweep(store, count=3)
    found = selected_experiments(Store(store), [third, first, "gone's", third])
    assert found["experiment_id"].tolist() == [third, first]
    assert found[LABEL].tolist() == ["run-1002", "run-1000"]
    assert second not in set(found["experiment_id"])


def test_nothing_is_selected(store: Path) -> None:
    record_sweep(store, count=1)
    assert selected_experiments(Store(store), []).empty


def test_equal_names_get_the_end_of_the_id(store: Path) -> None:
    ids = [record_run(store, "sweep", number, name="base") for number in range(2)]
    found = selected_experiments(Store(store), ids)
    assert found[LABEL].tolist() == [f"base ({each[-10:]})" for each in ids]


def test_labels_are_unique_whatever_the_names() -> None:
    labels = unique_labels(["a", "a", "a (x)"], ["1-x", "1-y", "1-z"])
    assert len(set(labels)) == 3
