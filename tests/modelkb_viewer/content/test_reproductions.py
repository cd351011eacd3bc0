from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np

from modelkb_store import Experiment, Store
from modelkb_store.reproduction import Verdict
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.reproductions import compare_runs, last_values, reproductions_of
from small_experiment import metric_record, record_complete_experiment

WriterFactory = Callable[..., ExperimentWriter]
# Later than the recorded experiment, which has the first number.
IDS = [f"20260102-030405678-{number:010x}" for number in (8, 9)]


def test_they_are_listed_newest_first(
    recorded_experiment: Experiment, store: Path, writer_factory: WriterFactory
) -> None:
    writers = [
        writer_factory(
            experiment_id=each,
            reproduces_experiment_id=recorded_experiment.id,
            epochs_planned=number,
        )
        for number, each in enumerate(IDS)
    ]
    writer_factory(reproduces_experiment_id="another")
    opened = Store(store)

    found = reproductions_of(opened, recorded_experiment.id)

    assert [row["experiment_id"] for row in found] == IDS[::-1]
    assert found[0]["status"] == "running"
    assert found[0]["epochs_planned"] == 1
    since = writers[1].experiment.started_at
    assert len(reproductions_of(opened, recorded_experiment.id, since)) == 1
    assert not reproductions_of(opened, recorded_experiment.id, since + timedelta(seconds=1))


def test_values_of_the_last_epoch_are_side_by_side(
    recorded_experiment: Experiment, store: Path, writer_factory: WriterFactory
) -> None:
    again = IDS[0]
    writer = writer_factory(experiment_id=again, reproduces_experiment_id=recorded_experiment.id)
    reproduction = Store(store).experiment(again)
    assert last_values(recorded_experiment, reproduction).empty

    for epoch in range(2):
        writer.append_metrics(
            [
                metric_record(again, epoch, 1.0),
                metric_record(again, epoch, 3.0, split="validation"),
                metric_record(again, epoch, 4.0, metric="own"),
            ]
        )
    writer.save_experiment()
    values = last_values(recorded_experiment, Store(store).experiment(again))

    assert values["Epoch"].tolist() == [1, 1, 1]
    assert values["Metric"].tolist() == ["loss", "val_loss", "own"]
    np.testing.assert_array_equal(values["Original"], [0.5, 1.0, np.nan])
    np.testing.assert_array_equal(values["Difference"], [0.5, 2.0, np.nan])


def test_a_run_that_has_ended_is_compared(recorded_experiment: Experiment, store: Path) -> None:
    again = record_complete_experiment(
        store, number=2, reproduces_experiment_id=recorded_experiment.id
    )

    found = compare_runs(Store(store), recorded_experiment, again.experiment.experiment_id)

    assert found.verdict is Verdict.IDENTICAL
