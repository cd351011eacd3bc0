"""One Parquet file of a table: records in, Arrow table out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelkb_store import atomic_file
from modelkb_store.errors import CorruptFileError
from modelkb_store.schemas import SCHEMAS


def write_records(path: Path, table: str, records: Sequence[Any]) -> None:
    """Write a table's records as one Parquet file, whole or not at all.

    Args:
        path: The file to make or replace.
        table: The table's name, a key of :data:`modelkb_store.schemas.SCHEMAS`.
        records: Records of the class that belongs to the table.
    """
    schema = SCHEMAS[table]
    columns = [
        _column([_plain(getattr(record, name)) for record in records], schema.field(name).type)
        for name in schema.names
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        sink,
        compression="zstd",
        write_page_checksum=True,
    )
    atomic_file.write_bytes(path, memoryview(sink.getvalue()))


def read_table_file(path: Path, table: str) -> pa.Table:
    """Read one Parquet file.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is not a Parquet file of this table.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        # Other tools that rewrite a file spell some types otherwise.
        rows = _with_later_columns(file.read(), table).cast(SCHEMAS[table])
        rows.validate(full=True)
    except FileNotFoundError:
        raise
    # Columns that are not those of the table end in a ValueError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorruptFileError(path, error) from error
    return rows


def _with_later_columns(rows: pa.Table, table: str) -> pa.Table:
    """Take columns that a table got since the file was written for null.

    Raises:
        ValueError: The file does not say that it is of this table.
    """
    schema = SCHEMAS[table]
    missing = [name for name in schema.names if name not in rows.column_names]
    if missing and (rows.schema.metadata or {}).get(b"modelkb.table") != table.encode():
        raise ValueError(f"it has no column {missing[0]}")
    for name in missing:
        rows = rows.append_column(name, pa.nulls(rows.num_rows, schema.field(name).type))
    return rows.select(schema.names)


def records_of(rows: Iterable[dict[str, Any]], record_type: type[Any]) -> list[Any]:
    """Make records of rows, lists as tuples; columns that the record lacks are left out."""
    names = [field.name for field in dataclasses.fields(record_type)]
    return [record_type(**{name: _frozen(row[name]) for name in names}) for row in rows]


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array(_as_unicode(values), kind)


def _as_unicode(value: Any) -> Any:
    """Replace what is no text: half characters, which Python makes of odd file names."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, (list, tuple)):
        return [_as_unicode(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_unicode(item) for key, item in value.items()}
    return value


def _plain(value: Any) -> Any:
    """Turn nested records into what Arrow takes for a struct."""
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        return [dataclasses.asdict(item) for item in value]
    return value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
