"""A recording that forks, or that is interrupted when it matters most."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import keras
import pytest

from modelkb_callbacks import ModelKB, active_recordings, checkpointing, lineage
from modelkb_callbacks.recording import Recording
from modelkb_store import Experiment, Store
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from trainings import Data, Fit, compiled, functional, sequential
from warm_python import WarmPython

FORK = textwrap.dedent(
    """
    import os, sys
    import keras, numpy as np
    import modelkb_callbacks
    from modelkb_callbacks import ModelKB

    _, store, form = sys.argv

    class Fork(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch != 1:
                return
            child = os.fork()
            if child == 0:
                run = modelkb_callbacks.current_run()
                run.tag("of the child")
                run.log(epoch=7, loss=7)
                run.log_params(child=True)
                recorder.on_epoch_end(5, {"loss": 5.0})
                sys.exit(3)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
            (row,) = modelkb_store.Store(store).experiments()["status"]
            assert row == "running", row

    import modelkb_store

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 4), "float32")
    recorder = ModelKB(store=store, strict=True)

    def train():
        model.fit(x, x[:, :1], epochs=4, verbose=0, callbacks=[recorder, Fork()])

    try:
        if form == "fit":
            train()
        else:
            with modelkb_callbacks.experiment(model, store=store, strict=True):
                train()
    except SystemExit:
        os._exit(3)  # Python's own end would wait for TensorFlow's threads, which did not fork
    """
)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="the system has no fork")
@pytest.mark.parametrize("form", ["fit", "block"])
def test_a_forked_child_leaves_its_parents_experiment_alone(
    form: str, store: Path, warm_python: WarmPython
) -> None:
    ended = warm_python.run(FORK, store, form)
    assert ended.returncode == 0, ended.stderr
    (experiment_id,) = Store(store).experiments()["experiment_id"]
    experiment = Store(store).experiment(experiment_id)
    assert (experiment.record.status, experiment.record.epochs_completed) == ("finished", 4)
    assert (experiment.record.tags, experiment.record.problems) == ((), ())
    assert sorted(experiment.metrics()["epoch"]) == [0, 1, 2, 3]
    assert "child" not in experiment.hyperparameters()


def interrupt(*args: Any, **kwargs: Any) -> None:
    """Stand for a Ctrl-C just here."""
    raise KeyboardInterrupt


def interrupted_fit(model: keras.Model, data: Data, store: Path) -> Experiment:
    """Train with a recorder that is interrupted."""
    recorder = ModelKB(store=store, project="tests", strict=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(data.x, data.classes, epochs=2, verbose=0, callbacks=[recorder])
    (experiment_id,) = Store(store).experiments()["experiment_id"]
    return Store(store).experiment(experiment_id)


@pytest.mark.parametrize("step", ["fold", "stop watching", "save"])
def test_an_interruption_of_the_end_does_not_leave_it_running(
    step: str, data: Data, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, close = ExperimentWriter.save_experiment, ExperimentWriter.close
    is_first = True

    def save_interrupted(writer: ExperimentWriter) -> None:
        nonlocal is_first
        if writer.experiment.ended_at is not None and is_first:
            is_first = False
            raise KeyboardInterrupt
        save(writer)

    def close_interrupted(writer: ExperimentWriter) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            raise KeyboardInterrupt
        close(writer)

    if step == "save":
        monkeypatch.setattr(ExperimentWriter, "save_experiment", save_interrupted)
    elif step == "fold":
        monkeypatch.setattr(ExperimentWriter, "close", close_interrupted)
    else:
        monkeypatch.setattr(Recording, "_leave_process", interrupt)
    record = interrupted_fit(compiled(sequential()), data, store).record
    assert (record.status, record.epochs_completed) == ("finished", 2)
    assert record.ended_at is not None
    assert record.duration_seconds is not None
    assert active_recordings.innermost() is None
    assert list((store / "log").rglob("*.jsonl")) == [], "all is in Parquet files"


def test_a_run_that_is_interrupted_while_it_saves_the_weights_is_a_parent(
    data: Data, fit: Fit, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.utils.set_random_seed(1)  # so that no weights are saved at the start
    model = compiled(functional())
    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "save_weights", interrupt)
        first = interrupted_fit(model, data, store)
    assert Tables(Store(store).files).read("trained_weights").num_rows == 1
    second = fit(model, data.x, data.classes).experiment
    assert second.record.parent_experiment_id == first.id


@pytest.mark.parametrize("step", ["environment", "weights", "parent"])
def test_a_run_that_is_interrupted_before_it_begins_is_no_parent(
    step: str, data: Data, fit: Fit, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = compiled(functional())
    with monkeypatch.context() as patch:
        if step == "environment":
            patch.setattr(Recording, "_record_environment", interrupt)
        elif step == "weights":
            weights_id, calls = lineage.weights_id, iter([True])
            patch.setattr(
                lineage,
                "weights_id",
                lambda of: interrupt() if next(calls, False) else weights_id(of),
            )
        else:
            patch.setattr(lineage, "parent_of", interrupt)
        first = interrupted_fit(model, data, store)
    assert first.record.status == "interrupted"
    assert fit(model, data.x, data.classes).experiment.record.parent_experiment_id is None


def test_weights_that_there_were_not_are_changed_by_an_epoch(data: Data, fit: Fit) -> None:
    model = compiled(sequential())
    first = fit(model, data.x, data.classes, epochs=1).experiment
    assert fit(model, data.x, data.classes).experiment.record.parent_experiment_id == first.id
