from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store import InvalidNameError
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import PARTITIONING

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10).filter(
    lambda name: name.isprintable() and name == name.strip() and not name.startswith("__HIVE_")
)
TRICKY = [
    "a/b",
    "a\\b",
    "100%",
    "%41",
    "a=b",
    "a+b c",
    "a&b;c",
    "~",
    "x.",
    "..",
    "_x",
    ".x",
    "null",
]
LEGAL_ON_WINDOWS = re.compile(r"project=[A-Za-z0-9_.%-]*[A-Za-z0-9_%-]")


@pytest.fixture(scope="module")
def table_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the folders of projects."""
    return tmp_path_factory.mktemp("tables")


def one_row(table_folder: Path, name: str) -> Path:
    """Write a row for a project, where no other project is."""
    root = table_folder / name.encode().hex()
    folder = root / project_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"value": [1.0]}), folder / "rows.parquet")
    return root


def test_a_folder_name_is_readable() -> None:
    assert project_folder("cats & dogs") == "project=cats%20%26%20dogs"
    assert project_folder("digits-2.1_a") == "project=digits-2.1_a"


@given(NAMES)
def test_a_folder_name_is_legal_on_windows(name: str) -> None:
    folder = project_folder(name)

    assert LEGAL_ON_WINDOWS.fullmatch(folder)
    assert len(folder) <= 255


@pytest.mark.parametrize(
    "name", ["CON", "nul", "aux.txt", "com1", ".", "..", "a.", "a..", "a:b", "*"]
)
def test_names_that_windows_reserves_are_legal(name: str) -> None:
    assert LEGAL_ON_WINDOWS.fullmatch(project_folder(name))
    assert unquote(project_folder(name).removeprefix("project=")) == name


@given(NAMES)
def test_a_folder_name_gives_the_name_back(name: str) -> None:
    assert unquote(project_folder(name).removeprefix("project=")) == unicodedata.normalize(
        "NFC", name
    )


@given(NAMES, NAMES)
def test_different_names_have_different_folders(one: str, other: str) -> None:
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)

    assert (project_folder(one) == project_folder(other)) == same


def test_both_spellings_of_an_accent_are_one_project() -> None:
    assert project_folder("cafe\u0301") == project_folder("caf\u00e9")


@given(st.sampled_from(TRICKY) | NAMES)
def test_pyarrow_reads_the_name_back(table_folder: Path, name: str) -> None:
    root = one_row(table_folder, name)
    rows = ds.dataset(root, partitioning=ds.partitioning(PARTITIONING, flavor="hive")).to_table()

    assert rows["project"].to_pylist() == [unicodedata.normalize("NFC", name)]


# A name that is a whole number reads as one with pandas: it takes types from folder names.
@given(st.sampled_from(TRICKY) | NAMES.filter(lambda name: not re.fullmatch(r"-?\d+", name)))
def test_pandas_reads_the_name_back(table_folder: Path, name: str) -> None:
    rows = pd.read_parquet(one_row(table_folder, name))

    assert rows["project"].tolist() == [unicodedata.normalize("NFC", name)]


@pytest.mark.parametrize("name", ["x" * 200, "é" * 33, "日" * 22])
def test_long_names_are_taken(name: str) -> None:
    assert unquote(project_folder(name).removeprefix("project=")) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "must be a text that is not empty"),
        ("   ", "must be a text that is not empty"),
        (None, "must be a text that is not empty"),
        (3, "must be a text that is not empty"),
        (b"digits", "must be a text that is not empty"),
        ("two\nlines", "cannot be printed"),
        ("a\ttab", "cannot be printed"),
        ("a\0null", "cannot be printed"),
        ("\u200bunseen", "cannot be printed"),
        ("half \ud800", "cannot be printed"),
        (" digits", "begins or ends with a space"),
        ("digits ", "begins or ends with a space"),
        ("__HIVE_DEFAULT_PARTITION__", "have a meaning in Parquet"),
        ("x" * 201, "too long (201 > 200)"),
        ("日" * 23, "too long (207 > 200)"),
    ],
)
def test_other_names_are_refused_with_a_reason(name: object, reason: str) -> None:
    with pytest.raises(InvalidNameError, match=re.escape(reason)) as caught:
        project_folder(name)  # type: ignore[arg-type]

    assert repr(name) in str(caught.value)
