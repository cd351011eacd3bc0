"""What only whole processes show: eight trainings into one store, imports, a clean exit."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Store

TRAIN = textwrap.dedent(
    """
    import sys
    import keras, numpy as np
    from modelkb_callbacks import ModelKB

    seed = int(sys.argv[2])
    keras.utils.set_random_seed(seed)
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int64")
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit = model.fit(
        x, y, validation_split=0.25, epochs=10, verbose=0,
        callbacks=[ModelKB(store=sys.argv[1], project="sweep", name=f"run {seed}", strict=True)],
    )
    print(fit.history["val_loss"])
    """
)


@pytest.mark.slow
def test_eight_processes_record_into_one_project(store: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(store), str(seed)], stdout=subprocess.PIPE, text=True
        )
        for seed in range(8)
    ]
    reads = 0
    while any(process.poll() is None for process in processes):
        if (store / "metrics").is_dir() and any((store / "metrics").rglob("*.parquet")):
            rows = pd.read_parquet(store / "metrics")
            assert not rows.duplicated(["experiment_id", "epoch", "split", "metric"]).any()
            reads += 1
        time.sleep(0.05)
    printed = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    assert reads > 0

    opened = Store(store)
    experiments = opened.experiments("sweep")
    assert sorted(experiments["name"]) == [f"run {seed}" for seed in range(8)]
    assert set(experiments["status"]) == {"finished"}
    assert experiments["architecture_id"].nunique() == 1
    assert len(list((store / "objects" / "architectures").rglob("*.h5"))) == 1
    assert len(pd.read_parquet(store / "environments")) == 1
    assert len(pd.read_parquet(store / "metrics")) == 8 * 10 * 4
    for _, row in experiments.iterrows():
        experiment = opened.experiment(row["experiment_id"])
        losses = experiment.metrics().query("split == 'validation' and metric == 'loss'")
        assert str(list(losses["value"])) == printed[row["seed"]].strip()
        assert experiment.confusion_matrix().to_numpy().sum() == 16
        assert len(experiment.load_model().get_weights()) == 4
    assert not [path for path in store.rglob(".*") if path.is_file()]


@pytest.mark.slow
def test_a_training_process_imports_nothing_of_the_viewer(store: Path) -> None:
    check = TRAIN + textwrap.dedent(
        """
        heavy = {"streamlit", "duckdb", "jinja2", "lark", "click", "modelkb_viewer"}
        print("imported:", sorted(heavy & set(sys.modules)))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", check, str(store), "0"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "imported: []"
