"""Numbers as spreadsheets of most of Europe write them: 0,93."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_POINT = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_BOTH = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")


class MixedNumbersError(ValueError):
    """The numbers of a column are not written alike."""

    def __init__(self, one: str, other: str) -> None:
        both = f"{one!r}" if one == other else f"{one!r} and {other!r}"
        super().__init__(
            f"a column has {both}: write all of its numbers alike, and without marks of thousands"
        )


def with_decimal_points(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the cells of a table, those of columns with decimal commas with points instead.

    A column whose cells with a comma may all be thousands (1,234) stays as it is.

    Args:
        rows: The cells of each line, which commas do not separate.

    Raises:
        MixedNumbersError: A column has decimal commas and points.

    Example:
        >>> with_decimal_points([["0", "0,93"], ["1", "0,95"]])
        [['0', '0.93'], ['1', '0.95']]
    """
    commas: dict[int, str] = {}
    points: dict[int, str] = {}
    for cells in rows:
        for place, cell in enumerate(cells):
            text = cell.strip()
            if _POINT.fullmatch(text) or _BOTH.fullmatch(text):
                points.setdefault(place, text)
            if _BOTH.fullmatch(text) or (_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text)):
                commas.setdefault(place, text)
    for place in commas.keys() & points.keys():
        raise MixedNumbersError(commas[place], points[place])
    return [
        [
            cell.replace(",", ".") if place in commas and _COMMA.fullmatch(cell.strip()) else cell
            for place, cell in enumerate(cells)
        ]
        for cells in rows
    ]
