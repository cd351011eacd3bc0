from __future__ import annotations

import dataclasses
from pathlib import Path

from modelkb_store import Experiment, Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.data_description import class_counts, data_arrays, data_facts
from small_experiment import DATASET, VALIDATION_DATASET, experiment_record


def test_facts_and_arrays_of_a_dataset(recorded_experiment: Experiment) -> None:
    dataset = recorded_experiment.dataset()
    facts = data_facts(dataset)
    assert facts["Samples"] == "1,500"
    assert facts["Classes"] == "cat, dog"
    assert facts["Fingerprint of"] == "100 samples"
    arrays = data_arrays(dataset)
    assert arrays["Role"].tolist() == ["Input", "Target"]
    assert arrays["Shape"].tolist() == ["(4)", "()"]


def test_what_is_not_known_is_left_out(recorded_experiment: Experiment) -> None:
    facts = data_facts(recorded_experiment.dataset("validation"))
    assert set(facts) == {"Kind", "Samples", "Batches", "Dataset id"}
    assert data_facts({}) == {}
    assert data_arrays({}).empty
    assert class_counts(recorded_experiment).empty


def test_class_counts_of_both_datasets(store: Path) -> None:
    train = dataclasses.replace(
        DATASET,
        class_counts=(3, 4),
        source='[{"loader":"load_digits","name":"digits","source":null}]',
    )
    validation = dataclasses.replace(VALIDATION_DATASET, class_counts=(1, 2, 3))
    writer = ExperimentWriter(store, "digits", experiment_record(1))
    writer.add_dataset(train)
    writer.add_dataset(validation)
    writer.set(dataset_id=train.dataset_id, validation_dataset_id=validation.dataset_id)
    writer.save_experiment()
    writer.close()
    experiment = Store(store).experiment(writer.experiment.experiment_id)
    rows = class_counts(experiment)[["class", "data", "count"]].values.tolist()
    assert rows == [
        ["cat", "Training data", 3],
        ["dog", "Training data", 4],
        ["0", "Validation data", 1],
        ["1", "Validation data", 2],
        ["2", "Validation data", 3],
    ]
    assert data_facts(experiment.dataset())["Where it came from"] == "load_digits (digits)"
