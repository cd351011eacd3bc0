"""One Parquet file of a table: records in, Arrow table out."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelkb_store.log.entry import columns_of, rows_of_columns
from modelkb_store.schemas import SCHEMAS

# Small enough that one experiment is found without reading much, large enough to compress.
ROW_GROUP_ROWS = 1 << 16

_MANY_VALUES = 1000

# What zstd compresses thoroughly within some 100 ms: that of some hundred runs, in most tables.
_SMALL_BYTES = 1 << 20
_THOROUGH = 17
# The rows of one run, until they are merged with others: a training waits for them. To look for
# longer would take three times as long, and find at most a tenth more.
_TINY_BYTES = 1 << 15
_QUICK = 3

Where = Mapping[str, Collection[str]]


def encode_rows(table: str, rows: pa.Table) -> pa.Buffer:
    """Return rows of a table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    if not rows.schema.equals(SCHEMAS[table], check_metadata=True):
        rows = rows.select(SCHEMAS[table].names).cast(SCHEMAS[table])
    pq.write_table(
        rows,
        sink,
        row_group_size=ROW_GROUP_ROWS,
        **writer_options(table, rows.nbytes),
    )
    return sink.getvalue()


def writer_options(table: str, size_bytes: int | None = None) -> dict[str, Any]:
    """Return the settings of pyarrow's Parquet writer for files of a table.

    Args:
        table: The table.
        size_bytes: How large the rows are in memory; None for many, which come bit by bit.
    """
    options: dict[str, Any] = {
        "compression": "zstd",
        "column_encoding": {
            f.name: "DELTA_BINARY_PACKED" for f in SCHEMAS[table] if pa.types.is_timestamp(f.type)
        },
        "write_page_checksum": True,
    }
    if size_bytes is not None and size_bytes <= _SMALL_BYTES:
        # zstd sees by itself that texts repeat, and spares the pages of dictionaries. The bounds
        # of the only row group, which are in each page as well, would spare nobody any reading.
        plain = {"use_dictionary": False, "write_statistics": False}
        level = _QUICK if size_bytes <= _TINY_BYTES else _THOROUGH
        return {**options, **plain, "compression_level": level}
    return {
        **options,
        # Measured values hardly ever repeat: a dictionary of them is larger than they are.
        "use_dictionary": [f.name for f in SCHEMAS[table] if not _is_measured(f.type)],
        # Of a long text, its bounds would be twice itself once more in each page and footer.
        "write_statistics": [f.name for f in SCHEMAS[table] if _has_bounds(f)],
    }


def _is_measured(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_timestamp(kind))


def _has_bounds(field: pa.Field) -> bool:
    """Return whether the least and greatest value help to find rows; of texts, those of ids do."""
    is_text = pa.types.is_string(field.type)
    return not pa.types.is_nested(field.type) and (not is_text or field.name.endswith("_id"))


def rows_of_records(table: str, records: Sequence[Any]) -> pa.Table:
    """Return records of the class that belongs to a table as an Arrow table."""
    return rows_of_columns(table, columns_of(table, records))


def decode_rows(
    source: BinaryIO | pa.Buffer,
    table: str,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
) -> pa.Table:
    """Read rows of a Parquet file.

    Args:
        source: The file, open, or its content.
        table: The table's name, a key of :data:`modelkb_store.schemas.SCHEMAS`.
        columns: Only these, in this order; by default all.
        where: Only rows with these values, by column; what surely has none is not read.

    Raises:
        pa.ArrowException, OSError, ValueError: It is not a Parquet file of this table.
    """
    file = pq.ParquetFile(source, page_checksum_verification=True)
    schema = SCHEMAS[table]
    chosen = list(columns if columns is not None else schema.names)
    needed = list(dict.fromkeys([*chosen, *(where or ())]))
    present = [name for name in needed if name in file.schema_arrow.names]
    _check_table(file.schema_arrow, table, missing=set(needed) - set(present))
    groups = _groups_to_read(file.metadata, where or {})
    if where:  # so that what is not wanted does not come together in memory
        parts = [matching(file.read_row_group(each, columns=present), where) for each in groups]
        rows = pa.concat_tables(parts or [file.schema_arrow.empty_table().select(present)])
    else:
        rows = file.read_row_groups(groups, columns=present)
    for name in needed:
        if name not in present:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, schema.field(name).type))
    # Other tools that rewrite a file spell some types otherwise.
    rows = rows.select(needed).cast(pa.schema([schema.field(name) for name in needed]))
    rows.validate(full=True)
    return matching(rows, where).select(chosen)


def matching(rows: pa.Table, where: Where | None) -> pa.Table:
    """Return the rows with these values, by column."""
    for name, values in (where or {}).items():
        if name in rows.column_names:
            kind = rows.schema.field(name).type
            hit = pc.is_in(rows[name], value_set=pa.array(list(values), kind))
            count = pc.sum(hit).as_py() or 0
            if not count:  # an empty slice would keep all that it is of in memory
                return rows.schema.empty_table()
            if count < rows.num_rows:  # filtering many short columns takes its time
                rows = rows.filter(hit)
    return rows


def records_of(rows: Iterable[dict[str, Any]], record_type: type[Any]) -> list[Any]:
    """Make records of rows, lists as tuples; columns that the record lacks are left out."""
    names = [field.name for field in dataclasses.fields(record_type)]
    return [record_type(**{name: _frozen(row[name]) for name in names}) for row in rows]


def _check_table(found: pa.Schema, table: str, missing: set[str]) -> None:
    """Take columns that a table got since the file was written for null.

    Raises:
        ValueError: Some are missing, and the file does not say that it is of this table.
    """
    if missing and (found.metadata or {}).get(b"modelkb.table") != table.encode():
        raise ValueError(f"it has no column {sorted(missing)[0]}")


def _groups_to_read(metadata: pq.FileMetaData, where: Where) -> list[int]:
    groups = list(range(metadata.num_row_groups))
    positions = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    for name, values in where.items():
        if name in positions and values:
            column = positions[name]
            groups = [g for g in groups if _may_hold(metadata, g, column, values)]
    return groups


def _may_hold(metadata: pq.FileMetaData, group: int, column: int, values: Collection[str]) -> bool:
    chunk = metadata.row_group(group).column(column)
    if chunk.physical_type != metadata.schema.column(column).physical_type:
        # Asked for the bounds in such a footer, Arrow ends the process.
        raise ValueError("its footer is damaged")
    statistics = chunk.statistics
    if statistics is None or not statistics.has_min_max:
        return True
    first, last = statistics.min, statistics.max
    if not isinstance(first, str) or not isinstance(last, str):
        raise ValueError("its footer is damaged")
    # Of very many some lie nearly everywhere.
    return len(values) > _MANY_VALUES or any(first <= value <= last for value in values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
