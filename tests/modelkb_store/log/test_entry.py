from __future__ import annotations

import math
import typing
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkb_store import SCHEMAS
from modelkb_store.log.entry import (
    Action,
    Entry,
    check_columns,
    columns_of,
    decode_entry,
    encode_entry,
    rows_of,
    rows_of_columns,
    table_of_line,
)
from modelkb_store.records import NamedVersion
from modelkb_store.table_file import decode_rows, encode_rows, rows_of_records
from record_types import RECORD_TYPES
from small_experiment import ENVIRONMENT, STARTED, experiment_record, metric_record

ID = "20260102-030405678-0000000001"
LINE = encode_entry(Action.ADD, "metrics", columns_of("metrics", [metric_record(ID, 0, 0.5)]))[:-1]


def values_of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Values of a column as Arrow has them."""
    if pa.types.is_list(kind):
        return st.lists(values_of(kind.value_type), max_size=2)
    if pa.types.is_struct(kind):
        return st.fixed_dictionaries({f.name: values_of(f.type) for f in kind})
    if pa.types.is_integer(kind):
        half = 1 << (kind.bit_width - 1)
        return st.integers(-half, half - 1)
    return {
        pa.string(): st.text(st.characters(codec="utf-8"), max_size=10),
        pa.float64(): st.floats(allow_nan=False),
        pa.bool_(): st.booleans(),
        pa.timestamp("us", tz="UTC"): st.datetimes(
            datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(timezone.utc)
        ),
    }[kind]


@pytest.mark.parametrize("table", SCHEMAS)
@settings(max_examples=20)
@given(data=st.data())
def test_records_come_back_as_they_went(table: str, data: st.DataObject) -> None:
    record_type = RECORD_TYPES[table]
    fields = {field.name: st.none() | values_of(field.type) for field in SCHEMAS[table]}
    rows = data.draw(st.lists(st.fixed_dictionaries(fields), max_size=3))
    records = [record_type(**_with_tuples(row)) for row in rows]

    entry = decode_entry(encode_entry(Action.PUT, table, columns_of(table, records))[:-1])

    assert entry is not None
    assert (entry.action, entry.table) == (Action.PUT, table)
    assert rows_of(entry).equals(pa.Table.from_pylist(rows, schema=SCHEMAS[table]))


def _with_tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}


ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(1 << 31, 1 << 64),
    st.floats(),
    st.text(),
    st.just("\udcff"),
    st.binary(),
    st.lists(st.text() | st.integers() | st.none(), max_size=2),
    st.dictionaries(st.sampled_from(["name", "value", "version"]), st.text() | st.floats()),
)


@pytest.mark.parametrize("table", SCHEMAS)
@settings(max_examples=40)
@given(data=st.data())
def test_what_a_column_cannot_hold_is_found(table: str, data: st.DataObject) -> None:
    kinds = {field.name: field.type for field in SCHEMAS[table]}
    columns = {name: [data.draw(values_as_json(kind))] for name, kind in kinds.items()}
    columns[data.draw(st.sampled_from(list(kinds)))] = [data.draw(ODD_VALUES)]

    def error_of(action: Callable[[str, Any], Any]) -> type[Exception] | None:
        try:
            action(table, columns)
        except (ValueError, TypeError) as error:
            return type(error)
        return None

    assert error_of(check_columns) == error_of(rows_of_columns)


def values_as_json(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Values of a column as a line has them."""
    return st.integers(0, 1 << 52) if pa.types.is_timestamp(kind) else values_of(kind)


@pytest.mark.parametrize("table", [*SCHEMAS, "a_later_table"])
@pytest.mark.parametrize("action", [Action.ADD, Action.PUT])
def test_a_line_begins_with_its_table(table: str, action: Action) -> None:
    assert table_of_line(encode_entry(action, table, {"a": ['["add","b",']})) == table


@pytest.mark.parametrize("line", [b"", b"garbage", LINE[1:], encode_entry(Action.END, "", {})])
def test_a_line_of_no_table(line: bytes) -> None:
    assert table_of_line(line) is None


@given(st.integers(0, len(LINE) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(position: int, change: int) -> None:
    damaged = bytearray(LINE)
    damaged[position] ^= change

    # Another way to write the checksum, such as in capitals, is none the worse.
    assert decode_entry(bytes(damaged)) in (None, decode_entry(LINE))
    if position > 8:
        assert decode_entry(bytes(damaged)) is None


@given(st.integers(0, len(LINE) - 1))
def test_any_cut_is_noticed(length: int) -> None:
    assert decode_entry(LINE[:length]) is None
    assert decode_entry(LINE[length + 1 :]) is None


@given(st.binary(max_size=100))
def test_no_bytes_are_taken_for_an_entry(content: bytes) -> None:
    assert decode_entry(content) is None


@pytest.mark.parametrize(
    "text",
    [b"[]", b"{}", b"null", b'["add"]', b'["add","metrics",5]', b'["eat","metrics",{}]', b"\xff"],
)
def test_whole_lines_of_something_else(text: bytes) -> None:
    import zlib

    assert decode_entry(b"%08x %s" % (zlib.crc32(text), text)) is None


def test_a_line_is_one_line() -> None:
    columns = columns_of("metrics", [metric_record(ID, 0, 0.5, metric="a\nb\r\n\u2028")])
    line = encode_entry(Action.ADD, "metrics", columns)

    assert line.count(b"\n") == 1
    assert line.isascii()
    entry = decode_entry(line[:-1])
    assert entry is not None
    assert rows_of(entry)["metric"].to_pylist() == ["a\nb\r\n\u2028"]


def test_numbers_that_are_none() -> None:
    values = [math.nan, math.inf, -math.inf, 5e-324, -0.0]
    columns = columns_of("metrics", [metric_record(ID, 0, value) for value in values])
    entry = decode_entry(encode_entry(Action.ADD, "metrics", columns)[:-1])

    assert entry is not None
    assert [repr(value) for value in rows_of(entry)["value"].to_pylist()] == [
        repr(value) for value in values
    ]


def test_one_value_stands_for_all_rows() -> None:
    columns = {"experiment_id": ID, "epoch": 3, "step": [1, 2, 3], "value": [0.5, None, 1]}
    rows = rows_of_columns("batch_metrics", columns)

    assert rows.num_rows == 3
    assert rows["epoch"].to_pylist() == [3, 3, 3]
    assert rows["value"].to_pylist() == [0.5, None, 1.0]
    assert rows["split"].null_count == 3
    assert rows.schema.equals(SCHEMAS["batch_metrics"])
    assert rows_of_columns("metrics", {"experiment_id": ID, "epoch": 1}).num_rows == 1


def test_columns_of_a_later_version_are_passed_over() -> None:
    columns = {**columns_of("metrics", [metric_record(ID, 0, 0.5)]), "colour": ["red"]}
    assert rows_of(Entry(Action.ADD, "metrics", columns)).schema.equals(SCHEMAS["metrics"])


@pytest.mark.parametrize("columns", [{"epoch": ["ten"]}, {"epoch": [1 << 40]}, {"metric": [5]}])
def test_wrong_types_are_told(columns: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        rows_of_columns("metrics", columns)


def test_columns_of_different_lengths_are_told() -> None:
    with pytest.raises(ValueError, match="length"):
        rows_of_columns("metrics", {"epoch": [1, 2], "value": [0.5]})


def test_nested_records_and_half_characters() -> None:
    strange = NamedVersion("caf\udce9", "1")
    changed = type(ENVIRONMENT)(
        **{**_fields(ENVIRONMENT), "distributions": (strange,), "gpus": ("\udcff",)}
    )
    rows = rows_of_records("environments", [changed])
    assert rows["distributions"].to_pylist() == [[{"name": "caf?", "version": "1"}]]
    assert rows["gpus"].to_pylist() == [["?"]]
    with pa.BufferReader(encode_rows("environments", rows)) as file:
        assert decode_rows(file, "environments").equals(rows)


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in typing.get_type_hints(type(record))}


def test_times_keep_their_moment() -> None:
    record = experiment_record(started_at=STARTED)
    rows = rows_of_records("experiments", [record])
    assert rows["started_at"].to_pylist() == [STARTED]
    assert columns_of("experiments", [record])["started_at"] == [1767323045678000]
