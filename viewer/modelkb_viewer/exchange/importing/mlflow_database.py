"""The SQLite databases of MLflow, read by SQLite alone."""

from __future__ import annotations

import contextlib
import functools
import math
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modelkb_viewer.exchange.errors import DamagedSourceError, NothingToImportError
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, RunReader
from modelkb_viewer.exchange.importing.mlflow_facts import MLflowRun

_MAGIC = b"SQLite format 3\0"
# Columns that MLflow has had since it has databases.
_RUNS = """
select r.run_uuid, r.name, r.user_id, r.status, r.start_time, r.end_time, e.name
from runs r join experiments e on e.experiment_id = r.experiment_id
where r.lifecycle_stage = 'active' and e.lifecycle_stage = 'active'
order by r.start_time, r.run_uuid
"""
_METRICS = "select key, step, timestamp, value, is_nan from metrics where run_uuid = ?"
_PARAMS = "select key, value from params where run_uuid = ?"
_TAGS = "select key, value from tags where run_uuid = ?"


def is_database(path: Path) -> bool:
    """Return whether a file is a database of SQLite."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def runs_of_database(path: Path, project: str | None) -> Sequence[RunReader]:
    """Find the runs of a database, oldest first; see :class:`.importers.Importer`."""
    try:
        with _opened(path) as database:
            rows = database.execute(_RUNS).fetchall()
    except sqlite3.OperationalError as error:
        expected = f"the tables of MLflow ({error})"
        raise NothingToImportError("MLflow", path, expected) from error
    except sqlite3.DatabaseError as error:
        raise DamagedSourceError(path, error) from error
    return [functools.partial(_read, path, project, row) for row in rows]


def _read(path: Path, project: str | None, row: Sequence[Any]) -> ImportedRun:
    run_id, name, user, status, start_time, end_time, experiment = row
    metrics: dict[str, list[tuple[int, int, float]]] = {}
    try:
        with _opened(path) as database:
            for key, step, timestamp, value, is_nan in database.execute(_METRICS, [run_id]):
                point = (step, timestamp, math.nan if is_nan else value)
                metrics.setdefault(key, []).append(point)
            params = dict(database.execute(_PARAMS, [run_id]))
            tags = {key: value or "" for key, value in database.execute(_TAGS, [run_id])}
    except sqlite3.DatabaseError as error:
        raise DamagedSourceError(path, error) from error
    return MLflowRun(
        run_id, name, experiment, user, status, start_time, end_time, params, tags, metrics
    ).imported(project)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database so that nothing in it can change."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()
