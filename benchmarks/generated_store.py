"""Makes a store of many runs: 20 hyperparameters and 10 metrics of 50 epochs each.

What it writes is what recording and compacting so many runs leaves, in much less time.

    python benchmarks/generated_store.py /tmp/store 10000
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa

from modelkb_store import layout
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.summaries import summarize
from modelkb_store.table_file import encode_rows

PROJECT = "sweep"
HYPERPARAMETERS = 20
METRICS = 10
EPOCHS = 50
RUNS_AT_ONCE = 5_000
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def make_store(root: Path, runs: int) -> None:
    """Make a store with so many runs in one project."""
    files = LocalFiles(root)
    layout.create_store(files)
    folder = project_folder(PROJECT)
    project = pa.Table.from_pylist([{"created_at": START}], schema=SCHEMAS["projects"])
    files.write(f"projects/{folder}/project.parquet", memoryview(encode_rows("projects", project)))
    for tables in rows_of_runs(runs):
        for name, rows in tables.items():
            commit(files, lambda _, n=name, r=rows: Replacement(n, folder, (), [r]))


def rows_of_runs(runs: int) -> Iterator[dict[str, pa.Table]]:
    """Yield the rows of some thousand runs at a time, by table."""
    random = np.random.default_rng(7)
    for first in range(0, runs, RUNS_AT_ONCE):
        numbers = range(first, min(first + RUNS_AT_ONCE, runs))
        ids = [_experiment_id(number) for number in numbers]
        metrics = _metrics(ids, random)
        yield {
            "hyperparameters": _hyperparameters(ids, random),
            "metrics": metrics,
            "metric_summaries": summarize(metrics),
            "epochs": _epochs(ids, random),
            "experiments": _experiments(ids, numbers),
        }


def _experiment_id(number: int) -> str:
    return (
        f"{START + timedelta(minutes=number):%Y%m%d-%H%M%S}000-{number * 2654435761 % 2**40:010x}"
    )


def _experiments(ids: list[str], numbers: range) -> pa.Table:
    rows = [
        {
            "experiment_id": experiment_id,
            "name": f"cnn-{experiment_id[-10:]}",
            "owner": ("ada", "grace", "alan")[number % 3],
            "status": "failed" if number % 50 == 0 else "finished",
            "started_at": START + timedelta(minutes=number),
            "ended_at": START + timedelta(minutes=number + 5),
            "duration_seconds": 300.0 + number % 60,
            "host": "lab",
            "process_id": number,
            "seed": number,
            "epochs_planned": EPOCHS,
            "epochs_completed": EPOCHS,
            "tags": ["baseline"] if number % 10 == 0 else [],
            "notes": "",
            "command_line": ["python", "train.py", f"--seed={number}"],
            "problems": [],
            "modelkb_version": "0.1.0",
        }
        for number, experiment_id in zip(numbers, ids, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["experiments"])


def _hyperparameters(ids: list[str], random: np.random.Generator) -> pa.Table:
    numbers = 10.0 ** random.uniform(-5, -1, (len(ids), HYPERPARAMETERS))
    names, values, decoded = [], [], []
    for index in range(HYPERPARAMETERS):
        names.append("learning_rate" if index == 0 else f"parameter_{index:02d}")
    for row in numbers:
        for index, number in enumerate(row):
            # A third each of numbers, whole numbers and texts.
            if index % 3 == 0:
                values.append(repr(float(number)))
                decoded.append(float(number))
            elif index % 3 == 1:
                values.append(str(int(number * 1e5)))
                decoded.append(float(int(number * 1e5)))
            else:
                values.append(('"adam"', '"sgd"', '"rmsprop"')[int(number * 1e5) % 3])
                decoded.append(None)
    return pa.table(
        {
            "experiment_id": np.repeat(ids, HYPERPARAMETERS),
            "name": names * len(ids),
            "value": values,
            "number": decoded,
            "source": ["fit"] * len(values),
        },
        schema=SCHEMAS["hyperparameters"],
    )


def _metrics(ids: list[str], random: np.random.Generator) -> pa.Table:
    per_run = METRICS * EPOCHS
    names = ["loss", "accuracy", "auc", "precision", "recall"]
    columns = [(split, name) for split in ("train", "validation") for name in names]
    walk = random.normal(size=(len(ids), EPOCHS, METRICS)).cumsum(axis=1) / 50 + 1
    started = np.datetime64(START.replace(tzinfo=None), "us")
    seconds = random.uniform(0.9, 1.1, (len(ids), EPOCHS)).cumsum(axis=1)
    times = started + (np.arange(len(ids))[:, None] * 60e6 + seconds * 1e6).astype("m8[us]")
    epochs = np.tile(np.repeat(np.arange(EPOCHS, dtype=np.int32), METRICS), len(ids))
    return pa.table(
        {
            "experiment_id": pa.array(np.repeat(ids, per_run)),
            "epoch": epochs,
            "step": (epochs.astype(np.int64) + 1) * 100,
            "split": [split for split, _ in columns] * (len(ids) * EPOCHS),
            "metric": [name for _, name in columns] * (len(ids) * EPOCHS),
            "value": walk.reshape(-1),
            "wall_time": pa.array(np.repeat(times.reshape(-1), METRICS)).cast(
                pa.timestamp("us", tz="UTC")
            ),
        },
        schema=SCHEMAS["metrics"],
    )


def _epochs(ids: list[str], random: np.random.Generator) -> pa.Table:
    count = len(ids) * EPOCHS
    return pa.table(
        {
            "experiment_id": np.repeat(ids, EPOCHS),
            "epoch": np.tile(np.arange(EPOCHS, dtype=np.int32), len(ids)),
            "started_at": pa.array([START] * count, pa.timestamp("us", tz="UTC")),
            "duration_seconds": random.uniform(0.9, 1.1, count),
            "initial_learning_rate": np.full(count, 0.001),
            "final_learning_rate": np.full(count, 0.001),
        },
        schema=SCHEMAS["epochs"],
    )


if __name__ == "__main__":
    make_store(Path(sys.argv[1]), int(sys.argv[2]))
