from __future__ import annotations

import subprocess
import sys
import types
import typing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkb_store import SCHEMAS, CorruptFileError
from modelkb_store.file_rows import read_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.records import MetricRecord
from modelkb_store.table_file import decode_rows, encode_rows, records_of, rows_of_records
from record_types import RECORD_TYPES
from small_experiment import STARTED, metric_record, read_records

ID = "20260102-030405678-0000000001"


def write_records(path: Path, table: str, records: list[Any]) -> None:
    """Write a file of a table as ModelKB does."""
    content = encode_rows(table, rows_of_records(table, records))
    LocalFiles(path.parent).write(path.name, memoryview(content))


def read_table_file(path: Path, table: str) -> pa.Table:
    """Read a file of a table as ModelKB does."""
    return read_rows(LocalFiles(path.parent), path.name, table)


def values_of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Values that a column of this type holds without loss."""
    if pa.types.is_list(kind):
        # Nested records are tested on their own.
        if pa.types.is_struct(kind.value_type):
            return st.just(())
        return st.lists(values_of(kind.value_type), max_size=3).map(tuple)
    if pa.types.is_integer(kind):
        half = 1 << (kind.bit_width - 1)
        return st.integers(-half, half - 1)
    return {
        pa.string(): st.text(st.characters(codec="utf-8"), max_size=20),
        pa.float64(): st.floats(allow_nan=False),
        pa.bool_(): st.booleans(),
        pa.timestamp("us", tz="UTC"): st.datetimes(
            datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(timezone.utc)
        ),
    }[kind]


def records_for(table: str) -> st.SearchStrategy[list[Any]]:
    """Records of a table, with None wherever the record allows it."""
    record_type = RECORD_TYPES[table]
    fields = {}
    for name, hint in typing.get_type_hints(record_type).items():
        values = values_of(SCHEMAS[table].field(name).type)
        optional = isinstance(hint, types.UnionType) and types.NoneType in hint.__args__
        fields[name] = st.none() | values if optional else values
    return st.lists(st.builds(record_type, **fields), max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files that are written over and over."""
    return tmp_path_factory.mktemp("table_file")


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    """A file of a hundred metrics."""
    path = tmp_path / "curve.parquet"
    write_records(path, "metrics", [metric_record(ID, epoch, 0.5) for epoch in range(100)])
    return path


@pytest.mark.parametrize("table", SCHEMAS)
@settings(max_examples=15)
@given(data=st.data())
def test_records_come_back_as_they_went(folder: Path, table: str, data: st.DataObject) -> None:
    records = data.draw(records_for(table))
    path = folder / f"{table}.parquet"

    write_records(path, table, records)

    assert read_records(path, table, RECORD_TYPES[table]) == records
    assert read_table_file(path, table).schema.equals(SCHEMAS[table])


def test_numbers_that_are_none_come_back(tmp_path: Path) -> None:
    values = [float("nan"), float("inf"), float("-inf"), 5e-324]
    rows = [metric_record(ID, 0, value) for value in values]

    write_records(tmp_path / "file", "metrics", rows)

    read = [row.value for row in read_records(tmp_path / "file", "metrics", MetricRecord)]
    assert [repr(value) for value in read] == [repr(value) for value in values]


def test_times_keep_their_moment(tmp_path: Path) -> None:
    row = metric_record(ID, 0, 0.5, wall_time=STARTED)

    write_records(tmp_path / "file", "metrics", [row])

    (read,) = read_records(tmp_path / "file", "metrics", MetricRecord)
    assert read.wall_time == STARTED
    assert read.wall_time.utcoffset().total_seconds() == 0


def test_columns_that_a_record_lacks_are_left_out() -> None:
    row = dict.fromkeys(SCHEMAS["metrics"].names, "x")

    assert records_of([{**row, "project": "digits"}], MetricRecord) == [MetricRecord(**row)]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        read_table_file(tmp_path / "gone.parquet", "metrics")


@pytest.mark.parametrize("part", [0, 0.05, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off(curve: Path, part: float) -> None:
    content = curve.read_bytes()
    curve.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(CorruptFileError, match="is damaged") as caught:
        read_table_file(curve, "metrics")

    assert caught.value.path == curve
    assert str(curve) in str(caught.value)


@pytest.mark.parametrize("content", [b"epoch,value\n0,0.5\n", b"PAR1" * 100, bytes(5000)])
def test_a_file_of_something_else(curve: Path, content: bytes) -> None:
    curve.write_bytes(content)

    with pytest.raises(CorruptFileError, match="is damaged"):
        read_table_file(curve, "metrics")


def test_damage_in_the_middle_of_a_file(curve: Path) -> None:
    content = bytearray(curve.read_bytes())
    content[4:200] = bytes(196)
    curve.write_bytes(content)

    with pytest.raises(CorruptFileError, match="is damaged"):
        read_table_file(curve, "metrics")


def test_a_parquet_file_of_another_table(tmp_path: Path) -> None:
    pq.write_table(pa.table({"experiment_id": [ID]}), tmp_path / "file")

    with pytest.raises(CorruptFileError):
        read_table_file(tmp_path / "file", "metrics")


def test_a_parquet_file_with_other_types(tmp_path: Path) -> None:
    columns = {name: ["text"] for name in SCHEMAS["metrics"].names}
    pq.write_table(pa.table(columns), tmp_path / "file")

    with pytest.raises(CorruptFileError):
        read_table_file(tmp_path / "file", "metrics")


def test_text_that_is_damaged(curve: Path) -> None:
    table = pq.read_table(curve)
    damaged = pa.array([b"\xff\xfe"] * 100, pa.binary()).cast(pa.string(), safe=False)
    position = table.schema.get_field_index("metric")
    pq.write_table(table.set_column(position, "metric", damaged), curve)

    with pytest.raises(CorruptFileError):
        read_table_file(curve, "metrics")


def test_a_record_of_a_wrong_type_leaves_the_old_file(curve: Path) -> None:
    before = curve.read_bytes()

    with pytest.raises((TypeError, ValueError), match=r"(?i)int"):
        write_records(curve, "metrics", [metric_record(ID, 0, 0.5, step="ten")])

    assert curve.read_bytes() == before
    assert [entry.name for entry in curve.parent.iterdir()] == [curve.name]


def test_files_without_later_columns(folder: Path) -> None:
    """A column that a table got since the file was written is null; the file says what it is."""
    path = folder / "earlier.parquet"
    record = RECORD_TYPES["artifacts"]("id", "file", "a", "b", 5, STARTED, 3, "name")
    write_records(path, "artifacts", [record])
    earlier = pq.read_table(path).drop_columns(["name", "epoch"])
    pq.write_table(earlier, path)
    (row,) = read_table_file(path, "artifacts").to_pylist()
    assert (row["name"], row["epoch"], row["size_bytes"]) == (None, None, 5)

    with pytest.raises(CorruptFileError, match="no column"):
        read_table_file(path, "metrics")
    pq.write_table(earlier.replace_schema_metadata({}), path)
    with pytest.raises(CorruptFileError, match="no column"):
        read_table_file(path, "artifacts")


def test_half_characters_are_replaced(folder: Path) -> None:
    """Python makes them of file names and arguments that are no text."""
    path = folder / "halves.parquet"
    record = metric_record(ID, 0, 1.0, metric="caf\u00e9 \udce9")
    write_records(path, "metrics", [record, metric_record(ID, 1, 1.0)])
    names = read_table_file(path, "metrics").column("metric").to_pylist()
    assert names == ["caf\u00e9 ?", "loss"]


@pytest.fixture
def many_runs(tmp_path: Path) -> Path:
    """A file of three row groups, sorted by experiment."""
    path = tmp_path / "many.parquet"
    rows = rows_of_records(
        "metrics",
        [metric_record(f"run-{run}", epoch, float(run)) for run in range(6) for epoch in range(10)],
    )
    pq.write_table(rows, path, row_group_size=20)
    return path


@pytest.mark.parametrize("wanted", [[], ["run-0"], ["run-1", "run-4"], ["run-9", "a", "z"]])
def test_only_some_rows(many_runs: Path, wanted: list[str]) -> None:
    with many_runs.open("rb") as file:
        rows = decode_rows(file, "metrics", ["value", "epoch"], {"experiment_id": wanted})

    expected = [float(name[-1]) for name in wanted if name in {f"run-{n}" for n in range(6)}]
    assert rows.column_names == ["value", "epoch"]
    assert rows["value"].to_pylist() == [value for value in expected for _ in range(10)]


def test_rows_by_several_columns(many_runs: Path) -> None:
    where = {"experiment_id": ["run-2", "run-3"], "metric": ["loss"], "split": ["validation"]}
    with many_runs.open("rb") as file:
        assert decode_rows(file, "metrics", None, where).num_rows == 0
    with many_runs.open("rb") as file:
        assert decode_rows(file, "metrics", None, {**where, "split": ["train"]}).num_rows == 20


def test_what_surely_has_no_such_row_is_not_read(many_runs: Path) -> None:
    """Damage in a part that is not asked for is not met."""
    groups = pq.ParquetFile(many_runs).metadata
    column = groups.row_group(2).column(groups.schema.names.index("value"))
    content = bytearray(many_runs.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    many_runs.write_bytes(content)

    with many_runs.open("rb") as file:
        rows = decode_rows(file, "metrics", ["value"], {"experiment_id": ["run-0"]})
    assert rows["value"].to_pylist() == [0.0] * 10
    with many_runs.open("rb") as file, pytest.raises((pa.ArrowException, OSError)):
        decode_rows(file, "metrics", ["value"], {"experiment_id": ["run-5"]})


def test_any_number_of_values_can_be_asked_for(many_runs: Path) -> None:
    wanted = [f"run-{number}" for number in range(3, 5000)]
    with many_runs.open("rb") as file:
        rows = decode_rows(file, "metrics", ["experiment_id"], {"experiment_id": wanted})
    assert set(rows["experiment_id"].to_pylist()) == {"run-3", "run-4", "run-5"}


def test_rows_that_nobody_wanted_are_not_held(tmp_path: Path) -> None:
    """Not by an empty slice, either, of which one counts no bytes."""
    schema = SCHEMAS["metrics"].remove_metadata()
    count = 1 << 17
    columns = [pa.nulls(count, field.type) for field in schema]
    columns[schema.get_field_index("metric")] = pa.array(["loss"] * count, pa.string())
    columns[schema.get_field_index("value")] = pa.array(range(count), pa.float64())
    path = tmp_path / "a.parquet"
    # As our own writer does of short texts.
    pq.write_table(pa.table(columns, schema), path, row_group_size=1 << 14, write_statistics=False)

    with path.open("rb") as file:
        rows = decode_rows(file, "metrics", None, {"metric": ["other"]})
    assert rows.num_rows == 0
    # Of the whole buffers that it refers to; `nbytes` would be of what it shows of them.
    assert rows.get_total_buffer_size() < 1000
    with path.open("rb") as file:
        assert decode_rows(file, "metrics", ["value"], {"metric": ["loss"]}).num_rows == count


def test_a_damaged_footer_is_an_error_also_for_readers_of_some_rows(tmp_path: Path) -> None:
    """In a process of its own, which Arrow ends where it is not kept from it.

    It does so, too, for other readers than those of all rows, where histograms are damaged.
    """
    path = tmp_path / "a.parquet"
    write_records(path, "metrics", [metric_record(ID, 0, 0.5)])
    code = f"""
import pathlib
from modelkb_store import CorruptFileError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.file_rows import read_rows

files = LocalFiles(pathlib.Path({str(tmp_path)!r}))
content = files.read("a.parquet")
footer = int.from_bytes(content[-8:-4], "little") + 8
for position in range(len(content) - footer, len(content), 3):
    flipped = bytearray(content)
    flipped[position] ^= 0x40
    (files.root / "b.parquet").write_bytes(flipped)
    try:
        read_rows(files, "b.parquet", "metrics")
        for column in ("experiment_id", "metric", "split"):
            read_rows(files, "b.parquet", "metrics", where={{column: ["loss"]}})
    except CorruptFileError:
        pass
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def chunks_of(table: str, rows: pa.Table) -> dict[str, Any]:
    """Return what the footer says of the columns of a file of a table."""
    metadata = pq.read_metadata(pa.BufferReader(encode_rows(table, rows)))
    chunks = [metadata.row_group(0).column(each) for each in range(metadata.num_columns)]
    assert {chunk.compression for chunk in chunks} == {"ZSTD"}
    return {chunk.path_in_schema: chunk for chunk in chunks}


def implementations(definitions: str) -> pa.Table:
    row = {"implementation_id": "a", "definitions": definitions, "created_at": STARTED}
    return pa.Table.from_pylist([row], schema=SCHEMAS["implementations"])


def test_no_bounds_of_long_texts_are_kept() -> None:
    chunks = chunks_of("implementations", implementations("b" * (2 << 20)))

    bounded = [name for name, chunk in chunks.items() if chunk.is_stats_set]
    assert bounded == ["implementation_id", "created_at"]


def test_small_files_hold_values_alone() -> None:
    chunks = chunks_of("implementations", implementations("b" * 1000)).values()

    assert not [chunk for chunk in chunks if chunk.is_stats_set or chunk.has_dictionary_page]


@pytest.mark.parametrize(("runs", "has_dictionary"), [(10, False), (800, True)])
def test_texts_of_many_rows_have_dictionaries(runs: int, has_dictionary: bool) -> None:
    rows = rows_of_records(
        "metrics",
        [metric_record(f"{ID}-{run}", epoch, 0.5) for run in range(runs) for epoch in range(20)],
    )

    chunks = chunks_of("metrics", rows)

    assert chunks["metric"].has_dictionary_page == has_dictionary
    assert not chunks["value"].has_dictionary_page
    assert "DELTA_BINARY_PACKED" in chunks["wall_time"].encodings
