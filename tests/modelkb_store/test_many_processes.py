"""Many processes record into one store, while others merge it, die and read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import store_traffic
from modelkb_store import Store
from modelkb_store.commits.manifest import is_compacted, read_manifest
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.upkeep.checking import check
from store_traffic import EPOCHS, HYPERPARAMETERS, ROWS_OF_RUN, RUNS

PROCESSES = 32

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")


@pytest.fixture
def stop(tmp_path: Path) -> Iterator[Path]:
    """The file that ends the processes that go on until they are told."""
    path = tmp_path / "stop"
    yield path
    path.touch()


def start(part: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, store_traffic.__file__, part, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> dict[str, int]:
    out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors[-4000:]
    facts: dict[str, int] = json.loads(out) if out else {}
    return facts


@pytest.mark.slow
def test_every_read_is_consistent_and_nothing_is_lost(store: Path, stop: Path) -> None:
    create_store(LocalFiles(store))
    others = {part: start(part, store, stop) for part in ("compact", "read", "read_by_pandas")}
    said(start("record", store, PROCESSES))
    stop.touch()
    facts = {part: said(process) for part, process in others.items()}

    assert facts["compact"]["kills"] > 2
    assert facts["read"]["reads"] > 5
    assert facts["read"]["runs"] == PROCESSES * RUNS
    assert facts["read_by_pandas"]["reads"] > 2
    assert_complete(store)


def assert_complete(root: Path) -> None:
    runs = PROCESSES * RUNS
    let_time_pass(root)
    store = Store(root)
    counts = {
        "experiments": runs,
        "hyperparameters": runs * HYPERPARAMETERS,
        "metrics": runs * ROWS_OF_RUN,
        "epochs": runs * EPOCHS,
        "evaluations": runs,
        "checkpoints": runs,
        "metric_summaries": runs * 3,
    }
    for table, count in counts.items():
        assert store.sql(f"SELECT count(*) AS n FROM {table}")["n"].tolist() == [count], table
        assert len(pd.read_parquet(root / table)) == count, table
    assert set(store.experiments()["status"]) == {"finished"}
    assert store.files.list("log") == []
    assert check(store.files) == []
    last = store.experiments()["experiment_id"].iloc[-1]
    assert len(store.experiment(last).checkpoints()) == 1


def let_time_pass(root: Path) -> None:
    """Make files that a killed process has left old enough to be given up."""
    files = LocalFiles(root)
    manifest, long_ago = read_manifest(files), time.time() - 120
    for info in files.list(""):
        if is_compacted(info.path) and info.path not in manifest.files:
            os.utime(files.local_path(info.path), (long_ago, long_ago))
