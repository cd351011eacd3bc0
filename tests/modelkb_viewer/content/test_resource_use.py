from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from modelkb_store import Experiment, Store
from modelkb_store.records import ResourceRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.resource_use import learning_rates, resource_curves
from small_experiment import experiment_record


def test_use_over_seconds_each_gpu_a_line(store: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record(1))
    run, start = writer.experiment.experiment_id, writer.experiment.started_at
    writer.append_resources(
        [
            ResourceRecord(run, start, None, 1 << 30, None, None),
            ResourceRecord(run, start + timedelta(seconds=5), 50.0, 2 << 30, (10.0, 20.0), (1, 2)),
        ]
    )
    writer.close()
    found = resource_curves(Store(store).experiment(run))
    assert list(found) == [
        "CPU (%, 100 is one processor)",
        "Memory (GiB)",
        "GPU (%)",
        "GPU memory (GiB)",
    ]
    memory = found["Memory (GiB)"]
    assert (memory["x"].tolist(), memory["value"].tolist()) == ([0, 5], [1, 2])
    assert found["GPU (%)"][["series", "value"]].values.tolist() == [["GPU 0", 10], ["GPU 1", 20]]


def test_what_was_not_measured_is_left_out(recorded_experiment: Experiment) -> None:
    found = resource_curves(recorded_experiment)
    assert list(found) == ["CPU (%, 100 is one processor)", "Memory (GiB)"]


def test_a_learning_rate_that_changes_in_an_epoch_is_shown_at_both_ends(
    recorded_experiment: Experiment,
) -> None:
    rates = learning_rates(recorded_experiment)
    assert set(rates["series"]) == {"at its beginning", "at its end"}
    assert rates["x"].tolist() == [0, 1, 2, 0, 1, 2]
