"""The job for Spark merges files as ModelKB does, and counts right."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from modelkb_store import SCHEMAS, Store
from modelkb_store.commits.compaction import compact, mergeable_files
from modelkb_store.commits.manifest import read_manifest
from modelkb_store.commits.staged import describe_staged
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.folding import mirror
from modelkb_store.log.log_name import LogName
from modelkb_store.project_names import project_folder
from modelkb_store.records import EpochRecord, HyperparameterRecord
from modelkb_store.snapshot import consistently
from modelkb_store.tables import Tables
from modelkb_store.upkeep.checking import check
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    ENVIRONMENT,
    STARTED,
    experiment_record,
    metric_record,
)
from spark_session import spark

__all__ = ["spark"]

# Spark says so of the newest pandas, which the job does not use.
pytestmark = pytest.mark.filterwarnings(
    "ignore:PySpark does not yet fully support pandas:FutureWarning"
)

ODD = "Zahlen 数字"


@pytest.fixture(scope="module")
def job() -> ModuleType:
    """The example as a module."""
    path = Path(__file__).parents[2] / "examples" / "spark_store.py"
    spec = importlib.util.spec_from_file_location("spark_store", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """A store with runs that ended, some of them merged."""
    for number in range(1, 4):
        record_run(store, "digits", number)
    compact(LocalFiles(store))
    for number in range(4, 6):
        record_run(store, "digits", number)
    record_run(store, ODD, 6)
    record_run(store, ODD, 7)
    return LocalFiles(store)


def begin_run(root: Path, project: str, number: int) -> ExperimentWriter:
    record = experiment_record(number)
    writer = ExperimentWriter(root, project, record)
    run = record.experiment_id
    units = HyperparameterRecord(run, "units", str(number % 2), float(number % 2), "user")
    writer.write_hyperparameters([units])
    writer.add_environment(ENVIRONMENT)
    for epoch in range(3):
        loss = metric_record(run, epoch, 1 / (number + epoch))
        accuracy = metric_record(
            run, epoch, number / 10 + epoch / 100, split="validation", metric="accuracy"
        )
        writer.append_metrics([loss, accuracy])
    return writer


def record_run(root: Path, project: str, number: int) -> None:
    writer = begin_run(root, project, number)
    writer.set(status="finished", duration_seconds=float(number))
    writer.save_experiment()
    writer.close()


def rows_of(files: LocalFiles) -> Mapping[str, list[str]]:
    tables = Tables(files)
    return {name: sorted(map(repr, tables.read(name).to_pylist())) for name in SCHEMAS}


def paths_of(files: LocalFiles, table: str, project: str = "digits") -> list[str]:
    folder = project_folder(project)
    found = consistently(files, lambda now: mergeable_files(now, table, folder))
    return [info.path for info in found]


@pytest.mark.slow
def test_spark_merges_files_as_modelkb_does(job: ModuleType, spark: Any, files: LocalFiles) -> None:
    running = begin_run(files.root, "digits", 9)
    run = running.experiment.experiment_id
    mirror(files, LogName("project=digits", run))
    mirrored = files.read(f"metrics/project=digits/{run}-0000.parquet")
    before = rows_of(files)

    fewer = job.compact(spark, str(files.root))

    assert fewer > 0
    assert rows_of(files) == before
    for table in ("metrics", "experiments", "hyperparameters"):
        for project in ("digits", ODD):
            (path,) = paths_of(files, table, project)
            known = read_manifest(files).files[path]
            assert known == describe_staged(files, table, path)
            rows = pq.read_table(files.local_path(path), partitioning=None)
            ids = rows["experiment_id"].to_pylist()
            assert ids == sorted(ids)
    (path,) = paths_of(files, "metrics")
    of_first = pq.read_table(files.local_path(path), partitioning=None).slice(0, 6)
    assert of_first["epoch"].to_pylist() == [0, 0, 1, 1, 2, 2]
    assert of_first["metric"].to_pylist() == ["loss", "accuracy"] * 3
    assert files.read(f"metrics/project=digits/{run}-0000.parquet") == mirrored
    assert not list(files.root.glob(".staged-*"))
    assert check(files) == []
    running.close()
    assert len(Store(files.root).experiments()) == 8


@pytest.mark.slow
def test_many_rows_become_several_files(
    job: ModuleType, spark: Any, store: Path, files: LocalFiles
) -> None:
    writer = begin_run(store, "long", 20)
    for number in range(20, 24):
        run = experiment_record(number).experiment_id
        if number > 20:
            writer = begin_run(store, "long", number)
        writer.append_epoch(EpochRecord(run, 0, STARTED, 1.5, 0.01, 0.005))
        writer.close()
    before = rows_of(files)
    sizes = [info.size_bytes for info in files.list("epochs/project=long")]

    done = job._compact_part(spark, str(store), "epochs", "project=long", 2 * max(sizes) + 2)

    assert done == 2
    paths = paths_of(files, "epochs", "long")
    bounds = [read_manifest(files).files[path] for path in paths]
    first, second = sorted((known.first_key, known.last_key) for known in bounds)
    assert first[1] < second[0]
    assert rows_of(files) == before
    # Files of that size are left alone.
    assert job._compact_part(spark, str(store), "epochs", "project=long", 100) == 0


@pytest.mark.slow
def test_shared_rows_that_are_there_twice_are_once_afterwards(
    job: ModuleType, spark: Any, files: LocalFiles
) -> None:
    (path,) = paths_of(files, "environments", ODD)
    files.write(path.replace(".parquet", "-again.parquet"), files.read(path))
    folder = project_folder(ODD)
    assert job._compact_part(spark, str(files.root), "environments", folder, 1 << 20) == 1
    (path,) = paths_of(files, "environments", ODD)
    assert pq.read_metadata(files.local_path(path)).num_rows == 1


@pytest.mark.slow
def test_what_others_merge_meanwhile_is_tried_again(
    job: ModuleType, spark: Any, files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = rows_of(files), job._write
    calls = []

    def merged_meanwhile(*arguments: Any) -> Any:
        calls.append(arguments)
        staged = write(*arguments)
        if len(calls) == 1:
            compact(files)
            record_run(files.root, "digits", 8)
        return staged

    monkeypatch.setattr(job, "_write", merged_meanwhile)
    assert job._compact_part(spark, str(files.root), "metrics", "project=digits", 1 << 20) == 1
    assert len(calls) == 2
    after = rows_of(files)
    assert set(before["metrics"]) < set(after["metrics"])
    assert len(after["metrics"]) == len(set(after["metrics"])) == len(before["metrics"]) + 6


@pytest.mark.slow
def test_statistics(
    job: ModuleType, spark: Any, store: Path, files: LocalFiles, tmp_path: Path
) -> None:
    writer = begin_run(store, "digits", 9)
    mirror(files, LogName("project=digits", writer.experiment.experiment_id))
    job.statistics(spark, str(store), str(tmp_path / "found"), "val_accuracy")
    found = pd.read_parquet(tmp_path / "found")
    expected = Store(store).sql(
        """
        SELECT h.project, h.name AS hyperparameter, h.value AS setting, count(*) AS runs,
               max(s.max) AS best_val_accuracy, avg(e.duration_seconds) AS mean_duration_seconds
        FROM hyperparameters h JOIN experiments e USING (experiment_id)
        JOIN metric_summaries s USING (experiment_id)
        WHERE s.split = 'validation' AND s.metric = 'accuracy' AND e.status = 'finished'
        GROUP BY ALL ORDER BY ALL"""
    )
    assert set(found["project"]) == {"digits", ODD}
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert len(found) == 4

    job.statistics(spark, str(store), str(tmp_path / "found.csv"), "loss")
    (path,) = (tmp_path / "found.csv").glob("*.csv")
    assert pd.read_csv(path)["best_loss"].min() == pytest.approx(1 / 9)
    writer.close()
