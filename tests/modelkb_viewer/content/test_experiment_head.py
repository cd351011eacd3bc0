from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from modelkb_store import Experiment, Store
from modelkb_store.records import EpochRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.experiment_head import experiment_head
from small_experiment import STARTED


def test_a_finished_run_says_how_long_it_took(recorded_experiment: Experiment) -> None:
    head = experiment_head(recorded_experiment, None)
    assert head.facts == {
        "Started": "2026-01-02 03:05:05 UTC",
        "Duration": "0:01:15",
        "Epochs": "3",
        "Owner": "ada on lab",
    }
    assert head.share_done is None


def test_a_run_that_goes_on_says_how_far_it_has_come(
    store: Path, writer_factory: Callable[..., ExperimentWriter]
) -> None:
    writer = writer_factory(epochs_planned=4)
    run = writer.experiment.experiment_id
    writer.append_epoch(EpochRecord(run, 0, STARTED, 1.0, 0.1, 0.1))
    now = writer.experiment.started_at + timedelta(seconds=30)
    head = experiment_head(Store(store).experiment(run), None, now)
    assert head.facts["Epochs"] == "1 of 4"
    assert head.facts["Running for"] == "30.0s"
    assert head.share_done == 0.25
