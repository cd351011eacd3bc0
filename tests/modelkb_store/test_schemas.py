from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import h5py
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelkb_store import FORMAT_VERSION, SCHEMAS, Experiment
from record_types import RECORD_TYPES

FORMAT_DOCUMENT = Path(__file__).parents[2] / "store" / "FORMAT.md"
COLUMNS = [(table, column) for table, schema in SCHEMAS.items() for column in schema.names]


def section_of(table: str) -> str:
    """Return what FORMAT.md says under the first heading that names a table."""
    parts = re.split(r"^(#+ .*)$", FORMAT_DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        if re.search(rf"\b{table}\b", heading):
            return text
    raise AssertionError(f"FORMAT.md has no heading that names the table {table}")


def test_there_is_a_record_for_each_table() -> None:
    assert list(RECORD_TYPES) == list(SCHEMAS)


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_record_has_exactly_the_columns_of_its_table(table: str) -> None:
    fields = {field.name for field in dataclasses.fields(RECORD_TYPES[table])}

    assert fields == set(SCHEMAS[table].names)


@pytest.mark.parametrize("table", SCHEMAS)
def test_the_project_is_in_the_folder_and_in_no_file(table: str) -> None:
    assert "project" not in SCHEMAS[table].names


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_times_are_in_utc_and_the_rest_has_none(table: str, column: str) -> None:
    kind = SCHEMAS[table].field(column).type
    is_time = column.endswith("_at") or column == "wall_time"

    assert (kind == pa.timestamp("us", tz="UTC")) == is_time
    assert pa.types.is_timestamp(kind) == is_time


@pytest.mark.usefixtures("recorded_experiment")
def test_every_file_says_its_format_and_table(store: Path) -> None:
    files = list(store.rglob("*.parquet"))
    tables = {file.relative_to(store).parts[0] for file in files}

    assert tables == set(SCHEMAS) - {"predictions"}
    for file in files:
        schema = pq.read_schema(file)
        assert schema.metadata[b"modelkb.format_version"] == str(FORMAT_VERSION).encode()
        assert schema.metadata[b"modelkb.table"].decode() == file.relative_to(store).parts[0]
        assert schema.equals(SCHEMAS[file.relative_to(store).parts[0]])


def test_the_architecture_file_says_its_format(
    recorded_experiment: Experiment, store: Path
) -> None:
    with h5py.File(store / recorded_experiment.architecture_path(), "r") as file:
        assert file.attrs["modelkb_format_version"] == FORMAT_VERSION


@pytest.mark.usefixtures("recorded_experiment")
def test_the_store_says_its_format(store: Path) -> None:
    assert json.loads((store / "format.json").read_text())["version"] == FORMAT_VERSION


@pytest.mark.parametrize("table", SCHEMAS)
def test_the_format_document_has_every_column(table: str) -> None:
    # Curves by batch may be described together with those by epoch.
    sections = section_of(table) + (section_of("metrics") if table == "batch_metrics" else "")
    missing = [name for name in SCHEMAS[table].names if f"`{name}`" not in sections]

    assert missing == []


def test_the_format_document_says_its_version() -> None:
    assert re.search(rf"\bversion:? {FORMAT_VERSION}\b", FORMAT_DOCUMENT.read_text("utf-8"), re.I)
