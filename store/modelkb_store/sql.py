"""SQL over the tables of a store, by DuckDB, which can read and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from modelkb_store.errors import (
    InvalidSettingError,
    MissingPackageError,
    ModelKBError,
    SqlError,
    SqlTimeoutError,
)
from modelkb_store.file_rows import project_of
from modelkb_store.files.files import Files
from modelkb_store.log.segment import BY_EPOCH
from modelkb_store.schemas import PARTITIONING, SCHEMAS
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.tables import Tables, is_void_by_log, rows_of_log

if TYPE_CHECKING:
    import duckdb

# Of these the rows in Parquet files are what counts, up to whole experiments.
_SCANNED = ("metrics", "batch_metrics", "epochs", "resources", "hyperparameters", "evaluations")
_ROWS_AT_ONCE = 10_000
_INTERRUPTED_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """What a query may take; None is no limit.

    Attributes:
        timeout_seconds: How long it may run.
        most_rows: How many rows are returned: the first of them.
        most_bytes: How much memory DuckDB may use for it, without going to disk; also how large
            the result may be.
    """

    timeout_seconds: float | None = None
    most_rows: int | None = None
    most_bytes: int | None = None

    def __post_init__(self) -> None:
        seconds = self.timeout_seconds
        if seconds is not None and not seconds > 0:
            raise InvalidSettingError("timeout_seconds", seconds, "more than 0, or None")


NO_LIMITS = SqlLimits()


def run_sql(files: Files, query: str, limits: SqlLimits = NO_LIMITS) -> pa.Table:
    """Return the result of a query over the tables of :data:`modelkb_store.SCHEMAS`.

    Each table has a column ``project`` as well. The query is a single SELECT (with WITH,
    DESCRIBE or EXPLAIN, too) and sees one state of the store; it can neither write nor reach
    any other file.

    Args:
        files: The store.
        query: The query.
        limits: What it may take.

    Raises:
        MissingPackageError: DuckDB is not installed.
        SqlError: The query is not valid, not a reading one, or needs too much memory.
        SqlTimeoutError: It took too long.
    """
    try:
        # Inside: a training process has no use for it.
        import duckdb
    except ImportError as error:
        raise MissingPackageError("DuckDB", "SQL", "pip install 'modelkb[sql]'") from error
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise SqlError(query, str(error)) from error
    reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in reading:
        raise SqlError(query, "it must be one SELECT: SQL reads the store and changes nothing")
    seconds = limits.timeout_seconds
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        return consistently(files, lambda snapshot: _run(snapshot, query, limits, deadline))
    except _TooLongError as error:
        raise SqlTimeoutError(query, seconds or 0.0) from error


class _TooLongError(Exception):
    """The time is over."""


def _run(snapshot: Snapshot, query: str, limits: SqlLimits, deadline: float | None) -> pa.Table:
    import duckdb

    with duckdb.connect(":memory:") as connection, _interrupted_at(connection, deadline):
        # Names in the query are of tables, never of variables of this program.
        connection.execute("SET python_enable_replacements = false; SET TimeZone = 'UTC'")
        if limits.most_bytes is not None:
            connection.execute(f"SET memory_limit = '{max(1, limits.most_bytes >> 20)}MiB'")
            connection.execute("SET temp_directory = ''")
        paths: list[str] = []
        try:
            for table in SCHEMAS:
                if re.search(rf"\b{table}\b", query, re.IGNORECASE):
                    paths += _define(connection, snapshot, table)
            connection.execute(f"SET allowed_paths = {_list(paths)}")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            return _rows_of(connection.sql(query), query, limits)
        except (ModelKBError, FileNotFoundError):
            raise
        except (duckdb.Error, OSError) as error:
            if deadline is not None and time.monotonic() >= deadline:
                raise _TooLongError from error
            # Merged with others meanwhile; DuckDB has several errors for a file that is gone.
            if _is_of_disk(error) or not all(map(os.path.exists, paths)):
                raise FileNotFoundError(str(error)) from error
            raise SqlError(query, str(error)) from error


def _is_of_disk(error: Exception) -> bool:
    """Return whether a file could not be read; in the middle of a result only the text says so."""
    import duckdb

    return isinstance(error, duckdb.IOException) or str(error).startswith("IO Error")


@contextlib.contextmanager
def _interrupted_at(
    connection: duckdb.DuckDBPyConnection, deadline: float | None
) -> Iterator[None]:
    """Have what a connection does end at a time."""
    if deadline is None:
        yield
        return
    is_done = threading.Event()

    def watch() -> None:
        pause = deadline - time.monotonic()
        # Again and again: between two statements there is nothing to interrupt.
        while not is_done.wait(max(0.0, pause)):
            connection.interrupt()
            pause = _INTERRUPTED_AGAIN_SECONDS

    watching = threading.Thread(target=watch, name="modelkb-sql-timeout", daemon=True)
    watching.start()
    try:
        yield
    finally:
        is_done.set()
        watching.join()


def _rows_of(result: duckdb.DuckDBPyRelation, query: str, limits: SqlLimits) -> pa.Table:
    """Return the rows of a result, read no further than they are wanted.

    Raises:
        OSError: The query fails in its middle; what DuckDB says is its text.
    """
    if limits.most_rows is None and limits.most_bytes is None:
        return result.to_arrow_table()
    # Older versions of DuckDB have it under another name.
    read = getattr(result, "to_arrow_reader", None) or result.fetch_arrow_reader
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    with read(_ROWS_AT_ONCE) as reader:
        for batch in reader:
            batches.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if limits.most_bytes is not None and size > limits.most_bytes:
                raise SqlError(query, f"its result takes more than {limits.most_bytes:,} bytes")
            if limits.most_rows is not None and rows >= limits.most_rows:
                break
        table = pa.Table.from_batches(batches, reader.schema)
    return table.slice(0, limits.most_rows)


def _define(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str) -> list[str]:
    """Make a table known to the connection, and return the files that it then reads."""
    infos = snapshot.table_files(table)
    local = [snapshot.files.local_path(info.path) for info in infos]
    paths = [str(path) for path in local if path is not None]
    if table not in _SCANNED or len(paths) < len(infos):
        connection.register(table, Tables(snapshot.files, snapshot).read(table))
        return []
    connection.register(f"_log_{table}", _rows_of_logs(snapshot, table))
    columns = ", ".join(["project", *SCHEMAS[table].names])
    view = f"SELECT {columns} FROM _log_{table}"
    if paths:
        scan = (
            f"SELECT * FROM read_parquet({_list(paths)}, hive_partitioning = true, "
            "hive_types = {'project': VARCHAR}, union_by_name = true)"
        )
        # The rows of logs bring all columns, also those that old files lack.
        both = f"{scan} WHERE {_still_valid(snapshot, table)} UNION ALL BY NAME {view}"
        view = f"SELECT {columns} FROM ({both})"
    connection.execute(f"CREATE VIEW {table} AS {view}")
    return paths


def _rows_of_logs(snapshot: Snapshot, table: str) -> pa.Table:
    schema = SCHEMAS[table].insert(0, PARTITIONING.field("project"))
    parts = [schema.empty_table()]
    for log in snapshot.logs:
        rows = rows_of_log(snapshot, log, table)
        if log.experiment_id not in snapshot.deleted and rows.num_rows:
            project = pa.repeat(pa.scalar(project_of(log.name.segment(0))), rows.num_rows)
            parts.append(rows.add_column(0, schema.field("project"), project))
    return pa.concat_tables(parts)


def _still_valid(snapshot: Snapshot, table: str) -> str:
    void = set(snapshot.deleted)
    void |= {log.experiment_id or "" for log in snapshot.logs if is_void_by_log(log, table)}
    conditions = [f"experiment_id NOT IN {_tuple(sorted(void))}"] if void else []
    if table in BY_EPOCH:
        conditions += [
            f"NOT (experiment_id = {_text(log.experiment_id or '')} AND epoch >= {log.cut})"
            for log in snapshot.logs
            if log.cut is not None
        ]
    return " AND ".join(conditions) or "true"


def _list(values: list[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _tuple(values: list[str]) -> str:
    return f"({', '.join(map(_text, values))})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
