"""A recording that forks, or that is interrupted when it matters most."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from modelkb_store import Store

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
def test_a_forked_child_leaves_its_parents_experiment_alone(form: str, store: Path) -> None:
    subprocess.run([sys.executable, "-c", FORK, str(store), form], check=True, timeout=200)
    (experiment_id,) = Store(store).experiments()["experiment_id"]
    experiment = Store(store).experiment(experiment_id)
    assert (experiment.record.status, experiment.record.epochs_completed) == ("finished", 4)
    assert (experiment.record.tags, experiment.record.problems) == ((), ())
    assert sorted(experiment.metrics()["epoch"]) == [0, 1, 2, 3]
    assert "child" not in experiment.hyperparameters()
