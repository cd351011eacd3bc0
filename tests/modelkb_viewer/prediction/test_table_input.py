from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.prepared import MOST_SAMPLES
from modelkb_viewer.prediction.table_input import prepare_table

PAIR = InputSpec(None, "input", (2,), "float32", 0.0, 10.0)
IMAGE = InputSpec(None, "input", (2, 2, 1), "float32")
TEXT = InputSpec(None, "review", (), "string")


@pytest.mark.parametrize(
    "content",
    [
        "1,2\n3,4",
        "width,height\n1,2\n3,4\n",
        "1;2\r\n3;4\r\n",
        "a\tb\n1\t2\n\n3\t4\n",
        "\ufeff1|2\n3|4",
        '"1","2"\n"3","4"',
        "1,0;2,0\n3,0;4,0",
    ],
)
def test_rows_are_samples(content: str) -> None:
    prepared = prepare_table("a.csv", content.encode(), PAIR)
    assert prepared.array.tolist() == [[1, 2], [3, 4]]
    assert prepared.array.dtype == np.float32
    assert prepared.samples == ("row 1", "row 2")


def test_other_encodings() -> None:
    assert prepare_table("a.csv", "1,2".encode("utf-16"), PAIR).array.tolist() == [[1, 2]]
    latin = prepare_table("a.csv", "höhe,b\n1,2".encode("latin-1"), PAIR)
    assert latin.steps[0] == "read as Latin-1, as it is no UTF-8"


def test_a_header_and_decimal_commas_are_said() -> None:
    steps = prepare_table("a.csv", b"a;b\n1,5;2", PAIR).steps
    assert steps[:2] == ("a header of 2 columns left out", "commas read as decimal points")


def test_rows_of_pixels_become_pictures() -> None:
    assert prepare_table("a.csv", b"1,2,3,4\n5,6,7,8", IMAGE).array.shape == (2, 2, 2, 1)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_one_column_of_numbers(shape: tuple[int, ...]) -> None:
    spec = InputSpec(None, "age", shape, "float32")
    assert prepare_table("a.csv", b"age\n1\n2\n3", spec).array.shape == (3, *shape)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"a,b\n", "a header and nothing below"),
        (b"1,2\n3\n", "line 2 has 1 column, and line 1 has 2"),
        (b"1,2\n3,x\n", "line 2, column 2 is 'x'"),
        (b"1,2,3\n", "it has 3 columns"),
        (b"1,\0", "no text"),
        (b"\x89PNG\r\n\x1a\n\0", "no text"),
        (b'"' + b"x" * 200_000, "field larger"),
    ],
)
def test_what_is_no_table_is_said_so(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        prepare_table("a.csv", content, PAIR)


def test_empty_cells_are_missing_values() -> None:
    prepared = prepare_table("a.csv", b"1,\nNaN,4", PAIR)
    assert np.isnan(prepared.array).sum() == 2
    assert "2 values are missing" in prepared.warnings[0]


def test_a_giant_table_is_cut() -> None:
    prepared = prepare_table("a.csv", b"a,b\n" + b"1,2\n" * 5000, PAIR)
    assert len(prepared.array) == MOST_SAMPLES
    assert "the first 1,000 rows taken" in prepared.steps


def test_texts_one_a_line() -> None:
    content = b'review\nvery good, indeed\n"quoted"\n'
    prepared = prepare_table("a.csv", content, TEXT)
    assert prepared.array.shape == (3 - 1,)


def test_texts_without_a_delimiter() -> None:
    prepared = prepare_table("a.txt", "gut\nsehr schön".encode(), TEXT)
    assert prepared.array.tolist() == ["gut", "sehr schön"]


@given(st.binary(max_size=80))
def test_no_content_raises_anything_else(content: bytes) -> None:
    try:
        prepared = prepare_table("a.csv", content, PAIR)
    except InputError:
        return
    assert prepared.array.shape[1:] == (2,)
