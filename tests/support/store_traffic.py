"""Processes that record into, merge and read one store at the same time, in a hurry.

    python store_traffic.py record STORE PROCESSES
    python store_traffic.py compact STORE STOP
    python store_traffic.py read STORE STOP
    python store_traffic.py read_by_pandas STORE STOP

All but the first go on until the file STOP is there. They say what they did on standard output, and
fail if what they read cannot be.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa

from modelkb_store import Store
from modelkb_store.commits.compaction import compact, compact_as_runs_end
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.project_names import project_folder
from modelkb_store.records import EpochRecord, EvaluationRecord, HyperparameterRecord
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import ENVIRONMENT, STARTED, experiment_record, metric_record, write_weights

PROJECTS = ("digits", "100% größe/x=y")
EPOCHS = 4
HYPERPARAMETERS = 4
PAUSE_SECONDS = 0.2  # so that those who record have the machine most of the time
ROWS_OF_RUN = 2 * EPOCHS + 1  # training and validation loss, and one evaluation afterwards


def record(root: Path, processes: int) -> None:
    """Record in each of many processes."""
    children = []
    for number in range(processes):
        child = os.fork()
        if not child:
            _record_run(root, number)
            return
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(codes):
        raise RuntimeError(f"writers failed: {codes}")


def _record_run(root: Path, number: int) -> None:
    chance = random.Random(number)
    record = experiment_record(number, started_at=STARTED + timedelta(minutes=number))
    run = record.experiment_id
    writer = ExperimentWriter(root, PROJECTS[number % 4 == 3], record)
    writer.add_environment(ENVIRONMENT)
    writer.write_hyperparameters(
        [
            HyperparameterRecord(run, f"h{i}", str(i), float(i), "fit")
            for i in range(HYPERPARAMETERS)
        ]
    )
    for epoch in range(EPOCHS):
        time.sleep(chance.uniform(0, 0.05))
        curves = ("train", "validation")
        value = value_of(run, epoch)
        writer.append_metrics([metric_record(run, epoch, value, split=split) for split in curves])
        writer.append_epoch(EpochRecord(run, epoch, STARTED, 1.5, 0.01, 0.005))
    writer.add_checkpoint("end", write_weights if number % 2 else _own_weights(number))
    writer.set(
        status="finished", epochs_completed=EPOCHS, environment_id=ENVIRONMENT.environment_id
    )
    writer.save_experiment()
    writer.close()
    writer.append_metrics([metric_record(run, EPOCHS - 1, value_of(run, EPOCHS), split="test")])
    writer.add_evaluations([_evaluation(run)])


def value_of(run: str, epoch: int) -> float:
    """Return the loss that a run has at an epoch; readers know it, too."""
    return int(run[-6:], 16) + epoch / 100


def _own_weights(number: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["layers/dense/vars/0"] = np.full((16, 16), number, "float32")

    return write


def _evaluation(run: str) -> EvaluationRecord:
    return EvaluationRecord(
        experiment_id=run,
        split="test",
        output="kind",
        task="regression",
        source="evaluate",
        sample_count=10,
        sampled=False,
        created_at=STARTED,
        r2=0.5,
    )


def merge_and_die(root: Path, stop: Path) -> None:
    """Merge files in a loop, in a process that is killed at any moment and started again."""
    chance = random.Random(7)
    kills = 0
    while not stop.exists():
        child = os.fork()
        if not child:
            _merge_forever(root)
        time.sleep(chance.uniform(0.05, 1.0))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise RuntimeError(f"merging failed: {status}")
        kills += 1
    print(json.dumps({"kills": kills}))


def _merge_forever(root: Path) -> None:
    try:
        files = LocalFiles(root)
        while True:
            compact(files)
            for project in PROJECTS:
                compact_as_runs_end(files, project_folder(project))
            time.sleep(PAUSE_SECONDS)
    finally:
        os._exit(1)


def read(root: Path, stop: Path) -> None:
    """Read in a loop, and check that what is read was there at one moment."""
    least: Counter[str] = Counter()
    reads = 0
    while True:
        is_last = stop.exists()
        store = Store(root)
        for _ in range(5):
            _check_tables(Tables(store.files).consistently(_rows), least)
            _check_experiments(store.experiments(), least)
            _check_curves(store.metrics(), least)
            _check_sql(store, least)
            reads += 1
            time.sleep(PAUSE_SECONDS)
        if is_last:
            break
    print(json.dumps({"reads": reads, "runs": least["experiments"]}))


def _rows(tables: Tables) -> dict[str, pa.Table]:
    names = ("experiments", "hyperparameters", "metrics", "epochs", "metric_summaries")
    return {name: tables.read(name) for name in names}


def _check_tables(rows: dict[str, pa.Table], least: Counter[str]) -> None:
    for name, table in rows.items():
        _check_growth(f"table {name}", table.num_rows, least)
    runs = dict(_pairs(rows["experiments"], "experiment_id", "status"))
    assert len(runs) == rows["experiments"].num_rows, "a run is there twice"
    settings = Counter(rows["hyperparameters"]["experiment_id"].to_pylist())
    epochs = Counter(rows["epochs"]["experiment_id"].to_pylist())
    for run, status in runs.items():
        assert status in ("running", "finished"), (run, status)
        assert settings[run] in (
            (0, HYPERPARAMETERS) if status == "running" else (HYPERPARAMETERS,)
        )
        if status == "finished":
            assert epochs[run] == EPOCHS, (run, epochs[run])
    _check_points(rows["metrics"].to_pandas())
    curves = Counter(_triples(rows["metrics"]))
    summed = Counter(_triples(rows["metric_summaries"]))
    assert set(summed.values()) <= {1}, "a summary is there twice"
    counts = dict(
        zip(
            _triples(rows["metric_summaries"]),
            rows["metric_summaries"]["count"].to_pylist(),
            strict=True,
        )
    )
    assert counts == dict(curves), "summaries are not what metrics say"


def _check_experiments(runs: pd.DataFrame, least: Counter[str]) -> None:
    _check_growth("experiments", len(runs), least)
    assert runs["experiment_id"].is_unique
    finished = runs[runs["status"] == "finished"]
    for number in range(HYPERPARAMETERS if len(finished) else 0):
        assert finished[f"params.h{number}"].notna().all()
    if len(finished):
        last = [value_of(run, EPOCHS - 1) for run in finished["experiment_id"]]
        assert finished["metrics.loss"].tolist() == last


def _check_curves(curves: pd.DataFrame, least: Counter[str]) -> None:
    _check_growth("curves", len(curves), least)
    assert not curves.duplicated(["experiment_id", "epoch", "name"]).any()


def _check_points(metrics: pd.DataFrame) -> None:
    """Check that no point is there twice, and that curves have no gaps and the right values."""
    assert not metrics.duplicated(["experiment_id", "epoch", "split", "metric"]).any()
    of_epochs = metrics[metrics["split"] != "test"]
    for (run, split), curve in of_epochs.groupby(["experiment_id", "split"]):
        assert curve["epoch"].tolist() == list(range(len(curve))), (run, split)
        assert curve["value"].tolist() == [value_of(run, e) for e in range(len(curve))]


def _check_sql(store: Store, least: Counter[str]) -> None:
    found = store.sql(
        "SELECT experiment_id, split, count(*) AS n, count(DISTINCT epoch) AS distinct_epochs, "
        "max(epoch) AS last FROM metrics WHERE split <> 'test' GROUP BY ALL"
    )
    assert (found["n"] == found["distinct_epochs"]).all()
    assert (found["n"] == found["last"] + 1).all()
    _check_growth("sql", int(found["n"].sum()), least)


def _check_growth(what: str, count: int, least: Counter[str]) -> None:
    assert count >= least[what], f"{what}: {least[what]} rows became {count}"
    least[what] = count


def _pairs(rows: pa.Table, *names: str) -> Any:
    return zip(*(rows[name].to_pylist() for name in names), strict=True)


def _triples(rows: pa.Table) -> list[tuple[str, str, str]]:
    return list(_pairs(rows, "experiment_id", "split", "metric"))


def read_by_pandas(root: Path, stop: Path) -> None:
    """Read in a loop without ModelKB: files may go while they are listed, but all are whole."""
    reads = misses = 0
    while not stop.exists():
        try:
            metrics = pd.read_parquet(root / "metrics")
        except FileNotFoundError:  # merged with others meanwhile, or nothing is there yet
            misses += 1
            time.sleep(0.01)
            continue
        if metrics.empty:  # the folder is there before its first file
            continue
        expected = [value_of(run, 0) for run in metrics["experiment_id"]]
        assert ((metrics["value"] - expected).between(0, EPOCHS / 100 + 1e-6)).all()
        reads += 1
        time.sleep(PAUSE_SECONDS)
    print(json.dumps({"reads": reads, "misses": misses}))


def main() -> None:
    """Play one of the parts."""
    _, part, root, *rest = sys.argv
    if part == "record":
        record(Path(root), int(rest[0]))
    else:
        parts = {"compact": merge_and_die, "read": read, "read_by_pandas": read_by_pandas}
        parts[part](Path(root), Path(rest[0]))


if __name__ == "__main__":
    main()
