from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from modelkb_store import ExperimentNotFoundError, Store
from modelkb_viewer.content.experiment_progress import experiment_progress
from running_experiment import RunningExperiment, running_experiment
from small_experiment import STARTED, metric_record


def progress(root: Path, run: RunningExperiment) -> str:
    return experiment_progress(Store(root), run.experiment_id)


def test_it_is_the_same_until_something_is_recorded(store: Path) -> None:
    with running_experiment(store) as run:
        first = progress(store, run)
        assert progress(store, run) == first
        run.end_epoch()
        second = progress(store, run)
        assert second != first
        columns = {"experiment_id": run.experiment_id, "epoch": 1, "step": [1], "split": "train"}
        run.writer.append_batch_columns({**columns, "metric": "loss", "value": [0.5]})
        third = progress(store, run)
        assert third != second
    assert progress(store, run) != third


def test_an_epoch_that_runs_again_is_another_one(store: Path) -> None:
    with running_experiment(store) as run:
        run.end_epoch()
        before = progress(store, run)
        run.writer.drop_epochs_from(1)
        later = datetime.now(timezone.utc)
        assert later > STARTED
        for split in ("train", "validation"):
            for metric in ("loss", "accuracy"):
                row = metric_record(
                    run.experiment_id, 1, 0.5, split=split, metric=metric, wall_time=later
                )
                run.writer.append_metrics([row])
        assert progress(store, run) != before


@pytest.mark.usefixtures("recorded_experiment")
def test_an_unknown_experiment_is_an_error(store: Path) -> None:
    with pytest.raises(ExperimentNotFoundError):
        experiment_progress(Store(store), "20260101-000000-ffffffff")
