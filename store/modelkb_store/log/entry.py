"""One line of a log: a checksum and JSON, so that a torn or damaged line is known as such.

    1c291ca3 ["add","metrics",{"experiment_id":"20261123-..","epoch":[3,3],"value":[0.5,0.4],..}]

Columns are as in the table's schema: times are microseconds since 1970 in UTC, and a column of
a table without list columns may hold one value for all rows. NaN and infinities are spelled as
Python's ``json`` does. A long column of numbers may be packed: ``{"type": "<f8", "base64": ".."}``.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa

from modelkb_store.schemas import SCHEMAS

Columns = Mapping[str, Any]

_COLUMNS = (list, np.ndarray)

_ROWS = re.compile(rb'[0-9a-f]{8} \["(?:add|put)","(\w+)",')

# The Python types of which a column holds every value, and of integers those up to a bound.
_HELD: Mapping[pa.DataType, tuple[type[Any], int]] = {
    pa.string(): (str, 0),
    pa.float64(): (float, 0),
    pa.bool_(): (bool, 0),
    pa.int32(): (int, 1 << 31),
    pa.int64(): (int, 1 << 63),
    pa.timestamp("us", "UTC"): (int, 1 << 63),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Action(str, Enum):
    """What an entry does to a table."""

    ADD = "add"  # more rows
    PUT = "put"  # all rows of the experiment in that table, in place of earlier ones
    CUT = "cut"  # drops the rows of a curve from an epoch on: {"epoch": 5}
    BEGIN = "begin"  # the first of a segment; its columns say who writes
    END = "end"  # nothing will follow


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One line of a log, read."""

    action: Action
    table: str
    columns: Columns


def encode_entry(action: Action, table: str, columns: Columns) -> bytes:
    """Return the line of an entry, with its line break."""
    text = json.dumps([action.value, table, columns], separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode_entry(line: bytes) -> Entry | None:
    """Return an entry of a line without its line break; None if the line is damaged."""
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        action, table, columns = json.loads(text)
        return Entry(Action(action), str(table), dict(columns))
    except (ValueError, TypeError):
        return None


def table_of_line(line: bytes) -> str | None:
    """Return the table that a line has rows of, without reading these, or its checksum.

    Returns:
        None if it has none, or does not begin as :func:`encode_entry` lets it.
    """
    found = _ROWS.match(line)
    return None if found is None else found[1].decode()


def packed(numbers: Sequence[float], kind: str) -> dict[str, str]:
    """Return a column of many numbers in the form that is fastest to write.

    Args:
        numbers: The column.
        kind: ``<f8`` or ``<i8``: eight bytes each, little endian.
    """
    content = np.asarray(numbers, kind).tobytes()
    return {"type": kind, "base64": base64.b64encode(content).decode()}


def columns_of(table: str, records: Sequence[Any]) -> Columns:
    """Return the columns of records of a table's class, as JSON can hold them."""
    return {
        name: [_plain(getattr(record, name)) for record in records] for name in SCHEMAS[table].names
    }


def rows_of(entry: Entry) -> pa.Table:
    """Return the rows of an entry that adds or puts some.

    Raises:
        ValueError, TypeError: They are not as the table's columns.
    """
    return rows_of_columns(entry.table, entry.columns)


def rows_of_columns(table: str, columns: Columns) -> pa.Table:
    """Return rows of a table; see :func:`rows_of`."""
    columns = {name: _unpacked(values) for name, values in columns.items()}
    count = next((len(v) for v in columns.values() if isinstance(v, _COLUMNS)), 1)
    arrays = [_array(columns.get(name), kind, count) for name, kind in _kinds(table)]
    return pa.Table.from_arrays(arrays, schema=SCHEMAS[table])


def check_columns(table: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Check that a reader can make rows of the columns of some records.

    Args:
        table: The table.
        columns: All of its columns, equally long; see :func:`columns_of`.

    Raises:
        ValueError, TypeError: A column has a value that it cannot hold.
    """
    for name, kind in _kinds(table):
        held, bound = _held(table)[name]
        values = columns[name]
        # To have Arrow try takes ten times as long as to see that there is no question.
        if not all(_is_held(value, held, bound) for value in values):
            _array(values, kind, len(values))


def _is_held(value: Any, held: type[Any] | None, bound: int) -> bool:
    if type(value) is not held:
        return value is None
    return not bound or -bound <= value < bound


@functools.cache
def _held(table: str) -> dict[str, tuple[type[Any] | None, int]]:
    """Return by column what it holds without a question."""
    return {name: _HELD.get(kind, (None, 0)) for name, kind in _kinds(table)}


@functools.cache
def _kinds(table: str) -> tuple[tuple[str, pa.DataType], ...]:
    """Return a table's columns with their types; Arrow makes these anew at each question."""
    return tuple((field.name, field.type) for field in SCHEMAS[table])


def _array(values: Any, kind: pa.DataType, count: int) -> pa.Array:
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(kind)
    if not isinstance(values, list):
        return pa.repeat(pa.scalar(values, kind), count)
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array(_as_unicode(values), kind)
    except OverflowError as error:  # Arrow's word for an integer that no type of its own holds
        raise ValueError(str(error)) from error


def _unpacked(values: Any) -> Any:
    if not isinstance(values, dict) or values.keys() != {"type", "base64"}:
        return values
    if values["type"] not in ("<f8", "<i8"):
        raise ValueError(f"numbers are packed as {values['type']!r}")
    return np.frombuffer(base64.b64decode(values["base64"], validate=True), values["type"])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def _as_unicode(value: Any) -> Any:
    """Replace what is no text: half characters, which Python makes of odd file names."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_as_unicode(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_unicode(item) for key, item in value.items()}
    return value


_MICROSECOND = datetime.resolution
