"""What only whole processes show: eight trainings into one store, imports, a clean exit."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import Store
from warm_python import WarmPython

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
    heavy = {"streamlit", "duckdb", "jinja2", "lark", "click", "modelkb_viewer"}
    print("imported:", sorted(heavy & set(sys.modules)))
    """
)


@pytest.mark.slow
def test_eight_processes_record_into_one_project(store: Path, warm_python: WarmPython) -> None:
    processes = [warm_python.start(TRAIN, store, seed) for seed in range(8)]
    reads = 0
    while any(process.is_running() for process in processes):
        if (store / "metrics").is_dir() and any((store / "metrics").rglob("*.parquet")):
            rows = pd.read_parquet(store / "metrics")
            assert not rows.duplicated(["experiment_id", "epoch", "split", "metric"]).any()
            reads += 1
        time.sleep(0.05)
    ended = [process.end() for process in processes]
    assert [each.returncode for each in ended] == [0] * 8, [each.stderr for each in ended]
    printed = [each.stdout.splitlines() for each in ended]
    assert {lines[-1] for lines in printed} == {"imported: []"}, "nothing of the viewer"
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
        assert str(list(losses["value"])) == printed[row["seed"]][0]
        assert experiment.confusion_matrix().to_numpy().sum() == 16
        assert len(experiment.load_model().get_weights()) == 4
    assert not [path for path in store.rglob(".*") if path.is_file()]
