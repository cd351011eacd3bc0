"""SQL over the tables of a store, by DuckDB, which can read and nothing else."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pyarrow as pa

from modelkb_store.errors import MissingPackageError, SqlError
from modelkb_store.files.files import Files
from modelkb_store.log.log_contents import BY_EPOCH
from modelkb_store.schemas import PARTITIONING, SCHEMAS
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.tables import Tables, is_void_by_log, project_of, rows_of_log

if TYPE_CHECKING:
    import duckdb

# Of these the rows in Parquet files are what counts, up to whole experiments.
_SCANNED = ("metrics", "batch_metrics", "epochs", "resources", "hyperparameters", "evaluations")


def run_sql(files: Files, query: str) -> pa.Table:
    """Return the result of a query over the tables of :data:`modelkb_store.SCHEMAS`.

    Each table has a column ``project`` as well. The query is a single SELECT (with WITH,
    DESCRIBE or EXPLAIN, too) and sees one state of the store; it can neither write nor reach
    any other file.

    Raises:
        MissingPackageError: DuckDB is not installed.
        SqlError: The query is not valid, or not a reading one.
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
    return consistently(files, lambda snapshot: _run(snapshot, query))


def _run(snapshot: Snapshot, query: str) -> pa.Table:
    import duckdb

    with duckdb.connect(":memory:") as connection:
        # Names in the query are of tables, never of variables of this program.
        connection.execute("SET python_enable_replacements = false; SET TimeZone = 'UTC'")
        paths: list[str] = []
        try:
            for table in SCHEMAS:
                if re.search(rf"\b{table}\b", query, re.IGNORECASE):
                    paths += _define(connection, snapshot, table)
            connection.execute(f"SET allowed_paths = {_list(paths)}")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            return connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            # Merged with others meanwhile; DuckDB has several errors for a file that is gone.
            if isinstance(error, duckdb.IOException) or not all(map(os.path.exists, paths)):
                raise FileNotFoundError(str(error)) from error
            raise SqlError(query, str(error)) from error


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
