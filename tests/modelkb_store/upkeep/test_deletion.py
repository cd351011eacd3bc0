from __future__ import annotations

import pytest

from modelkb_store import ExperimentNotFoundError, Store
from modelkb_store.errors import CollectedExperimentError, RunningExperimentError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.tables import Tables
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.deletion import (
    delete_experiment,
    deleted_experiments,
    mark_deleted,
    undelete,
)
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record

FIRST = "20260102-030405678-0000000001"


def test_a_deleted_experiment_is_hidden_everywhere(whole_store: LocalFiles) -> None:
    delete_experiment(whole_store, FIRST)

    assert FIRST not in Store(whole_store.root).experiments()["experiment_id"].tolist()
    for table in ("metrics", "hyperparameters", "trained_weights", "checkpoints"):
        ids = Tables(whole_store).read(table)["experiment_id"].to_pylist()
        assert FIRST not in ids
    with pytest.raises(ExperimentNotFoundError):
        Store(whole_store.root).experiment(FIRST)
    assert check(whole_store) == []
    assert deleted_experiments(whole_store) == [FIRST]


def test_it_comes_back(whole_store: LocalFiles) -> None:
    before = Store(whole_store.root).experiment(FIRST).record
    delete_experiment(whole_store, FIRST)

    undelete(whole_store, FIRST)

    assert Store(whole_store.root).experiment(FIRST).record == before
    assert deleted_experiments(whole_store) == []


def test_one_that_is_not_there(whole_store: LocalFiles) -> None:
    with pytest.raises(ExperimentNotFoundError):
        delete_experiment(whole_store, "nothing")
    with pytest.raises(ExperimentNotFoundError):
        undelete(whole_store, FIRST)
    delete_experiment(whole_store, FIRST)
    with pytest.raises(ExperimentNotFoundError):
        delete_experiment(whole_store, FIRST)


def test_a_running_one_is_refused(whole_store: LocalFiles) -> None:
    writer = ExperimentWriter(whole_store.root, "digits", experiment_record(9))
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, 0, 0.5)])

    with pytest.raises(RunningExperimentError, match=run):
        delete_experiment(whole_store, run)

    assert deleted_experiments(whole_store) == []
    writer.close()
    delete_experiment(whole_store, run)
    assert deleted_experiments(whole_store) == [run]


def test_one_that_is_partly_collected_stays_deleted(whole_store: LocalFiles) -> None:
    delete_experiment(whole_store, FIRST)
    mark_deleted(whole_store, FIRST, collected=True)

    with pytest.raises(CollectedExperimentError, match=FIRST):
        undelete(whole_store, FIRST)
