"""Checking one Parquet file of a table more closely than reading it does."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelkb_store.errors import CorruptFileError
from modelkb_store.file_rows import read_rows
from modelkb_store.files.files import Files
from modelkb_store.schemas import SCHEMAS


def check_parquet(files: Files, path: str, table: str) -> None:
    """Read a file whole, and compare what its footer says with what is in it.

    Pages have checksums, but the footer has none: a damaged name of a column would make that
    column null, and damaged bounds would hide rows from readers that look for some.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is not what it should be.
    """
    rows = read_rows(files, path, table)
    try:
        with files.open(path) as opened:
            _check_footer(pq.ParquetFile(opened), rows, table)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise CorruptFileError(path, error) from error


def _check_footer(file: pq.ParquetFile, rows: pa.Table, table: str) -> None:
    unknown = sorted(set(file.schema_arrow.names) - set(SCHEMAS[table].names))
    if unknown:
        raise ValueError(f"it has a column {unknown[0]!r}, which the table lacks")
    if file.metadata.num_rows != rows.num_rows:
        raise ValueError("its footer says another number of rows")
    for number in range(file.metadata.num_row_groups):
        _check_types(file.metadata, number)
    start = 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        _check_bounds(group, rows.slice(start, group.num_rows))
        start += group.num_rows


def _check_types(metadata: pq.FileMetaData, number: int) -> None:
    # Asked for the bounds of such a column, Arrow ends the process.
    for position in range(metadata.num_columns):
        found = metadata.row_group(number).column(position).physical_type
        if found != metadata.schema.column(position).physical_type:
            raise ValueError("its footer says two types of one column")


def _check_bounds(group: pq.RowGroupMetaData, rows: pa.Table) -> None:
    for position in range(group.num_columns):
        column = group.column(position)
        name, bounds = column.path_in_schema, column.statistics
        # Readers pass over groups only by texts.
        if bounds is None or not bounds.has_min_max or not _is_text(rows, name):
            continue
        found = pc.min_max(rows[name]).as_py()
        if found["min"] is None:
            continue
        if not (bounds.min <= found["min"] and found["max"] <= bounds.max):
            raise ValueError(f"its footer says wrong bounds of the column {name!r}")


def _is_text(rows: pa.Table, name: str) -> bool:
    return name in rows.column_names and pa.types.is_string(rows.schema.field(name).type)
