"""The digits are recorded alike on every backend of Keras that is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from modelkb_store import Store

SCRIPT = textwrap.dedent(
    """
    import sys
    import keras, numpy as np
    from sklearn.datasets import load_digits
    from sklearn.metrics import confusion_matrix
    from modelkb_callbacks import ModelKB
    from modelkb_store import Store

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 8
        def __getitem__(self, index):
            return x[index * 64 : (index + 1) * 64], y[index * 64 : (index + 1) * 64]

    def train(callbacks):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ])
        for arguments in (
            {"x": x, "y": y, "validation_split": 0.2},
            {"x": x, "y": y},
            {"x": Batches(), "validation_data": Batches()},
            {"x": Batches()},
        ):
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            model.fit(epochs=2, verbose=0, shuffle=False, callbacks=callbacks, **arguments)
        return model

    plain, model = train([]), train([ModelKB(store=sys.argv[1], strict=True)])
    for one, other in zip(plain.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, other)
    store = Store(sys.argv[1])
    last = store.experiment(store.experiments()["experiment_id"].iloc[-1])
    expected = confusion_matrix(y[:512], model.predict(x[:512], verbose=0).argmax(axis=1))
    assert np.array_equal(last.confusion_matrix(), expected)
    loaded = last.load_model()
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    """
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_digits(backend: str, store: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed; pip install 'modelkb[{backend}]'")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(store)], check=True, timeout=280, env=environment
    )
    opened = Store(store)
    runs = [opened.experiment(i) for i in opened.experiments()["experiment_id"]]
    assert {run.environment()["backend"] for run in runs} == {backend}
    assert [run.confusion_matrix().to_numpy().sum() for run in runs] == [360, 1797, 512, 512]
    assert [run.evaluations()["split"].iloc[0] for run in runs] == [
        "validation",
        "train",
        "validation",
        "train",
    ]
    assert all(run.record.problems == () for run in runs)
    for run in runs:
        rows = run.table("epochs").to_pylist()
        assert [row["epoch"] for row in rows] == [0, 1]
        assert {row["initial_learning_rate"] for row in rows} == {0.001}
        assert {row["final_learning_rate"] for row in rows} == {0.001}
