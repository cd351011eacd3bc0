"""What other programs find in a store as it is on disk is what ModelKB says of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import other_readers
from modelkb_store import SCHEMAS, Store
from modelkb_store.commits.compaction import compact
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.records import HyperparameterRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    STARTED,
    experiment_record,
    metric_record,
    record_complete_experiment,
)
from spark_session import spark

__all__ = ["spark"]

V1 = Path(__file__).parent / "data" / "store_v1"
ODD_PROJECTS = (
    "007",
    "100% größe/x=y",
    "2026-01-01",
    "NULL",
    "Wind & Gezeiten",
    "数字",
    "zz.top-1",
)
TOOLS = ("duckdb", "pandas", "polars", "spark")
# Spark takes many seconds for each; there are merged files in the mixed store, too.
READERS = [
    (tool, which)
    for tool in TOOLS
    for which in ("mixed", "merged")
    if (tool, which) != ("spark", "merged")
]


@pytest.fixture(scope="module")
def mixed_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of version 1 that was gone on with: old files, merged ones and loose ones."""
    root = tmp_path_factory.mktemp("mixed") / "modelkb"
    shutil.copytree(V1, root)
    for number in range(1, 4):
        _record_run(root, "digits", number)
    compact(LocalFiles(root))
    # An old file that no merge has touched, beside one that has.
    for table in ("experiments", "evaluations", "artifacts"):
        for old in (V1 / table).glob("project=iris/*.parquet"):
            _as_new_project(root, old, table)
    for number in range(4, 6):
        _record_run(root, "digits", number)
    record_complete_experiment(root, "digits", 50)
    for number, project in enumerate(ODD_PROJECTS, start=60):
        record_complete_experiment(root, project, number)
    return root


@pytest.fixture(scope="module")
def merged_store(mixed_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, merged."""
    root = tmp_path_factory.mktemp("merged") / "modelkb"
    shutil.copytree(mixed_store, root)
    compact(LocalFiles(root))
    return root


def _as_new_project(root: Path, old: Path, table: str) -> None:
    rows = pq.read_table(old)
    place = rows.schema.get_field_index("experiment_id")
    ids = [f"{run[:-2]}ff" for run in rows["experiment_id"].to_pylist()]
    rows = rows.set_column(place, rows.schema.field(place), [ids])
    folder = root / table / "project=0-old"
    folder.mkdir(exist_ok=True)
    pq.write_table(rows, folder / f"{ids[0]}.parquet")


def _record_run(root: Path, project: str, number: int) -> None:
    record = experiment_record(number, started_at=STARTED + timedelta(days=number))
    writer = ExperimentWriter(root, project, record)
    run = record.experiment_id
    optimizer = ('"adam"', '"SGD"')[number % 2]
    writer.write_hyperparameters([HyperparameterRecord(run, "optimizer", optimizer, None, "fit")])
    for epoch in range(3):
        loss = metric_record(run, epoch, 1 / (number + epoch))
        accuracy = number / 10 + epoch / 100
        changes = {"split": "validation", "metric": "accuracy"}
        writer.append_metrics([loss, metric_record(run, epoch, accuracy, **changes)])
    writer.set(status="finished", duration_seconds=number * 1.5)
    writer.save_experiment()
    writer.close()


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest) -> str:
    """A program that reads Parquet files."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return str(request.param)


@pytest.fixture
def ask(tool: str, request: pytest.FixtureRequest) -> Callable[[Path], dict[str, Any]]:
    """Asks a program all questions."""
    if tool == "spark":
        session = request.getfixturevalue("spark")
        return lambda root: other_readers.ask_spark(session, root)
    found: Callable[[Path], dict[str, Any]] = getattr(other_readers, f"ask_{tool}")
    return found


@pytest.fixture
def read(tool: str, request: pytest.FixtureRequest) -> Callable[[Path, str], pd.DataFrame]:
    """Reads a table by a program."""
    if tool == "spark":
        session = request.getfixturevalue("spark")
        return lambda root, table: _pandas(other_readers.read_by_spark(session, root, table))
    if tool == "polars":
        return lambda root, table: (
            other_readers.read_by_polars(root, table).collect().to_arrow().to_pandas()
        )
    if tool == "pandas":
        return other_readers.read_by_pandas
    return other_readers.read_by_duckdb


def _pandas(rows: Any) -> pd.DataFrame:
    frame: pd.DataFrame = rows.toArrow().to_pandas()
    return frame


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "which"), READERS, indirect=["tool"])
def test_the_same_questions_have_the_same_answers(
    which: str, request: pytest.FixtureRequest, ask: Callable[[Path], dict[str, Any]]
) -> None:
    root = request.getfixturevalue(f"{which}_store")
    expected = other_readers.ask_store(root)
    answers = ask(root)
    for question, rows in expected.items():
        assert rows
        assert comparable(answers[question]) == comparable(rows), question


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "which"), READERS, indirect=["tool"])
def test_every_table_has_the_same_rows(
    which: str, request: pytest.FixtureRequest, read: Callable[[Path, str], pd.DataFrame]
) -> None:
    root = request.getfixturevalue(f"{which}_store")
    store = Store(root)
    for table, schema in SCHEMAS.items():
        if not (root / table).is_dir():
            continue
        columns = ["project", *schema.names]
        mine = store.sql_table(f"SELECT * FROM {table}").select(columns).to_pylist()
        theirs = read(root, table)
        assert set(theirs.columns) <= set(columns)
        if which == "merged":  # all files have all columns then
            assert set(theirs.columns) == set(columns)
        theirs = theirs.reindex(columns=columns)
        assert comparable(theirs.itertuples(index=False, name=None)) == comparable(
            tuple(row.values()) for row in mine
        ), table


@pytest.mark.slow
def test_a_project_that_looks_like_a_number_stays_a_text(
    tmp_path: Path, read: Callable[[Path, str], pd.DataFrame]
) -> None:
    _record_run(tmp_path / "modelkb", "007", 1)
    assert set(read(tmp_path / "modelkb", "metrics")["project"]) == {"007"}


@pytest.mark.slow
def test_times_are_in_utc(mixed_store: Path, read: Callable[[Path, str], pd.DataFrame]) -> None:
    runs = read(mixed_store, "experiments").set_index("experiment_id")
    started = runs.loc[experiment_record(3).experiment_id, "started_at"]
    assert started == STARTED + timedelta(days=3)
    assert started.utcoffset() == timedelta(0)


def test_plain_calls_without_any_option_find_all_rows(merged_store: Path) -> None:
    store = Store(merged_store)
    for table in ("experiments", "metrics", "evaluations", "artifacts", "layers"):
        count = store.sql(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0]
        pattern = f"'{merged_store}/{table}/*/*.parquet'"
        assert len(pd.read_parquet(merged_store / table)) == count
        assert len(duckdb.sql(f"SELECT * FROM {pattern}").fetchall()) == count


def comparable(rows: Any) -> list[str]:
    """Return rows in one form and order, whatever the types of a program."""
    return sorted(repr(tuple(_plain(value) for value in row)) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        named = hasattr(value, "asDict")
        return _plain(value.asDict()) if named else [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in sorted(value.items())}
    if isinstance(value, datetime):
        if pd.isna(value):
            return None
        # Spark hands out times of its time zone, which is UTC, without saying so.
        aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return _plain_number(value)


def _plain_number(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, int, np.number)):
        number = float(value)
        return None if number != number else float(f"{number:.12g}")  # noqa: PLR0124 - NaN
    return value
