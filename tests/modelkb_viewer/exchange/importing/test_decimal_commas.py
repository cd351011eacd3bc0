from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.exchange.importing.decimal_commas import (
    MixedNumbersError,
    with_decimal_points,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: "." in repr(value))


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1), st.integers(0, 2))
def test_numbers_come_back(rows: list[list[float]], others: int) -> None:
    """The last columns have points; one comma that is surely a decimal one is in each other."""
    rows = [[0.5, 0.5, 0.5], *rows]
    texts = [
        [repr(v).replace(".", ",") if place < others else repr(v) for place, v in enumerate(row)]
        for row in rows
    ]
    assert [[float(cell) for cell in cells] for cells in with_decimal_points(texts)] == rows


@pytest.mark.parametrize(
    "column",
    [
        ["1,234", "12,345", "999"],  # thousands, perhaps
        ["3,3,64", "low", ""],
        ["0.5", "1.0"],
        ["1,234", "1.5"],
    ],
)
def test_what_is_no_decimal_comma_stays(column: list[str]) -> None:
    assert with_decimal_points([[cell] for cell in column]) == [[cell] for cell in column]


@pytest.mark.parametrize(
    "column", [["1.234,5", "987,6"], ["1.100", "987,6"], ["0,5", "0.5"], ["1.234.567,8"]]
)
def test_columns_that_are_not_written_alike_are_refused(column: list[str]) -> None:
    with pytest.raises(MixedNumbersError, match="alike"):
        with_decimal_points([[cell, "1"] for cell in column])


def test_lines_of_any_length() -> None:
    assert with_decimal_points([["0", "0,5"], ["1"], [], ["2", "1,234", "x"]]) == [
        ["0", "0.5"],
        ["1"],
        [],
        ["2", "1.234", "x"],
    ]
