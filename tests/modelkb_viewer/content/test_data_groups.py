from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from modelkb_store import Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.data_groups import data_groups
from small_experiment import DATASET, experiment_record
from sweep import record_run


def record_on(store: Path, number: int, **changes: Any) -> str:
    dataset = replace(DATASET, fingerprint_scope="all", **changes)
    record = experiment_record(5000 + number)
    writer = ExperimentWriter(store, "sweep", record)
    writer.add_dataset(dataset)
    writer.set(dataset_id=dataset.dataset_id, status="finished")
    writer.save_experiment()
    writer.close()
    return record.experiment_id


def test_experiments_go_by_the_samples_that_they_saw(store: Path) -> None:
    same = [record_on(store, number, dataset_id="d7" * 16) for number in range(3)]
    same.append(record_on(store, 4, dataset_id="d8" * 16, kind="tf.data"))
    other = record_on(store, 5, dataset_id="d9" * 16, fingerprint="f9" * 16)
    without = record_run(store, "sweep", 50, dataset_id=None)
    opened = Store(store)
    groups = data_groups(opened, opened.experiments())
    found = {frozenset(group.experiment_ids): group.title for group in groups}
    assert found == {
        frozenset(same): "Arrays, 1,500 samples (d7d7d7d7)",
        frozenset([other]): "Arrays, 1,500 samples (d9d9d9d9)",
        frozenset([without]): "Data not recorded",
    }
    assert set(groups[0].experiment_ids) == set(same)
