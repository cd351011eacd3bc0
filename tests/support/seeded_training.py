"""A short training that gives the same again, recorded by a process of its own."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from commands import modelkb_run, script_of
from modelkb_store import Experiment, Store

PROJECT = "clouds"
SCRIPT = textwrap.dedent(
    """
    import keras
    import numpy as np

    keras.utils.set_random_seed(3)
    x = np.random.normal(size=(64, 4)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu")], name="base")
    model = keras.Sequential([base, keras.layers.Dense(1, name="answer")], name="clouds")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, epochs=3, batch_size=16, validation_split=0.25, verbose=0)
    """
)


def record_seeded_training(folder: Path, store: Path) -> Experiment:
    """Train, and return the run."""
    options = ["--project", PROJECT, "--name", "original", "--store", store]
    ended = modelkb_run(*options, script_of(folder, SCRIPT), cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return Store(store).experiment("original")


def make_endless(store: Path, experiment: Experiment) -> None:
    """Have a run planned for as many epochs as nobody waits for."""
    (path,) = store.glob(f"hyperparameters/project={PROJECT}/{experiment.id}.parquet")
    rows = pq.read_table(path)
    names, values = (column.to_pylist() for column in (rows["name"], rows["value"]))
    changed: list[Any] = [
        json.dumps(10**6) if name == "epochs" else value
        for name, value in zip(names, values, strict=True)
    ]
    place = rows.schema.get_field_index("value")
    column = pa.array(changed, rows.schema.field("value").type)
    pq.write_table(rows.set_column(place, rows.schema.field("value"), column), path)
