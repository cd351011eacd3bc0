"""Many processes record into one store, while others merge it, die and read it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import store_traffic
from modelkb_store import Store
from modelkb_store.commits.manifest import is_compacted, read_manifest
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.upkeep.checking import check
from store_traffic import EPOCHS, HYPERPARAMETERS, ROWS_OF_RUN

PROCESSES = 32

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")


# On two busy cores; a minute where nothing else runs.
LONGEST_SECONDS = 900

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def stop(tmp_path: Path) -> Path:
    """The file that ends the processes that go on until they are told."""
    return tmp_path / "stop"


@pytest.fixture
def start(stop: Path) -> Iterator[Start]:
    """Starts a part of the traffic; none outlives the test."""
    with contextlib.ExitStack() as started:

        def start_part(part: str, *arguments: object) -> subprocess.Popen[str]:
            line = [sys.executable, store_traffic.__file__, part, *map(str, arguments)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                line, stdout=pipe, stderr=pipe, text=True, start_new_session=True
            )
            started.enter_context(process)
            started.callback(kill_with_children, process)
            return process

        yield start_part


def kill_with_children(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def said(process: subprocess.Popen[str]) -> dict[str, int]:
    out, errors = process.communicate()
    assert process.returncode == 0, errors[-4000:]
    facts: dict[str, int] = json.loads(out) if out else {}
    return facts


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_SECONDS)
def test_every_read_is_consistent_and_nothing_is_lost(
    store: Path, stop: Path, start: Start
) -> None:
    create_store(LocalFiles(store))
    others = {part: start(part, store, stop) for part in ("compact", "read", "read_by_pandas")}
    said(start("record", store, PROCESSES))
    stop.touch()
    facts = {part: said(process) for part, process in others.items()}

    assert facts["compact"]["kills"] > 2
    assert facts["read"]["reads"] > 5
    assert facts["read"]["runs"] == PROCESSES
    assert facts["read_by_pandas"]["reads"] > 2
    assert_complete(store)


def assert_complete(root: Path) -> None:
    let_time_pass(root)
    store = Store(root)
    counts = {
        "experiments": PROCESSES,
        "hyperparameters": PROCESSES * HYPERPARAMETERS,
        "metrics": PROCESSES * ROWS_OF_RUN,
        "epochs": PROCESSES * EPOCHS,
        "evaluations": PROCESSES,
        "checkpoints": PROCESSES,
        "metric_summaries": PROCESSES * 3,
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
