"""Whichever way a training is recorded, the record is the same; and there is one of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands import errors_of, modelkb_run, script_of
from comparable_record import OF_THE_TEXT, everything_in
from modelkb_store import Store
from warm_python import WarmPython

# The model, the data and the loss are the same to the letter; only the call differs.
SCRIPT = """
import keras, numpy as np
{before}
keras.utils.set_random_seed(11)
random = np.random.default_rng(0)
x = random.normal(size=(60, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int64")
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(8, activation="relu"),
    keras.layers.Dropout(0.25),
    keras.layers.Dense(2, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
stopper = keras.callbacks.ReduceLROnPlateau(patience=1)
{training}
model.evaluate(x[:20], y[:20], verbose=0)
model.predict(x[:8], verbose=0)
"""
ARGUMENTS = "x, y, batch_size=16, epochs=3, validation_split=0.25, verbose=0"
PLAIN = f"model.fit({ARGUMENTS}, callbacks=[stopper])"
WAYS = {
    "run": ("", PLAIN),
    "callback": (
        "from modelkb_callbacks import ModelKB",
        f"model.fit({ARGUMENTS}, callbacks=[stopper, ModelKB()])",
    ),
    "autolog": ("import modelkb_callbacks; modelkb_callbacks.autolog()", PLAIN),
    "xfit": ("import modelkb_callbacks", f"model.xfit({ARGUMENTS}, callbacks=[stopper])"),
}


@pytest.mark.slow
def test_four_ways_and_one_record(tmp_path: Path, warm_python: WarmPython) -> None:
    records = {}
    for way, (before, training) in WAYS.items():
        folder = tmp_path / way
        text = SCRIPT.format(before=before, training=training)
        environment = {"MODELKB_STORE": str(folder / "modelkb"), "PYTHONHASHSEED": "0"}
        if way == "run":
            done = modelkb_run(script_of(folder, text), environment=environment)
        else:
            done = warm_python.run(text, environment=environment)
        assert done.returncode == 0, done.stderr
        assert errors_of(done) == []
        records[way] = everything_in(folder / "modelkb", without=OF_THE_TEXT)

    expected = records.pop("callback")
    assert len(expected["metrics"]) == 3 * 4 + 3 + 2, "losses, accuracies, learning rate, test"
    for table in ("experiments", "models", "evaluations", "predictions", "hyperparameters"):
        assert expected[table], table
    for way, record in records.items():
        for table, rows in expected.items():
            assert record[table] == rows, (way, table)


MEETING = SCRIPT.format(
    before="import modelkb_callbacks; modelkb_callbacks.autolog(project='autolog')",
    training=f"""
with modelkb_callbacks.experiment(model, project="block") as run:
    model.xfit({ARGUMENTS}, callbacks=[stopper, modelkb_callbacks.ModelKB(project="callback")])
    run.tag(run.experiment_id)
""",
)


@pytest.mark.slow
def test_all_ways_at_once_are_one_experiment(store: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path, MEETING)
    done = modelkb_run("--project", "run", script, environment={"MODELKB_STORE": str(store)})
    assert done.returncode == 0, done.stderr
    assert errors_of(done) == []
    opened = Store(store)
    experiments = opened.experiments()
    assert list(experiments["project"]) == ["block"]
    (found,) = experiments["experiment_id"]
    experiment = opened.experiment(found)
    assert experiment.record.status == "finished"
    assert experiment.record.tags == (found,)
    assert experiment.record.epochs_completed == 3
    assert experiment.record.problems == ()
    assert len(experiment.metrics().query("split == 'train' and metric == 'loss'")) == 3
    assert sorted(experiment.evaluations()["split"]) == ["test", "validation"]
    assert experiment.table("predictions").num_rows == 1
    assert os.listdir(store / "experiments") == ["project=block"]
