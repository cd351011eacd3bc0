"""All rows of a store, for comparing two states of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from modelkb_store.files.files import Files
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables

Rows = dict[str, list[str]]


def rows_of_readers(files: Files) -> Rows:
    """Return what readers of ours see, table by table, in an order of their own."""
    return {table: in_any_order(Tables(files).read(table)) for table in SCHEMAS}


def rows_of_plain_arrow(root: Path) -> Rows:
    """Return what others see who know nothing of ModelKB."""
    return {table: in_any_order(plain_table(root, table)) for table in SCHEMAS}


def plain_table(root: Path, table: str) -> pa.Table:
    """Return a table as a folder of Parquet files."""
    schema = SCHEMAS[table].insert(0, pa.field("project", pa.string()))
    if not (root / table).is_dir():
        return schema.empty_table()
    partitioning = ds.partitioning(pa.schema([("project", pa.string())]), flavor="hive")
    found = ds.dataset(root / table, schema, format="parquet", partitioning=partitioning)
    return found.to_table()


def in_any_order(rows: pa.Table) -> list[str]:
    """Return rows as texts that can be compared, NaN included."""
    return sorted(repr(_plain(row)) for row in rows.to_pylist())


def _plain(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items())
