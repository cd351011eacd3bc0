"""Tables that people upload as CSV files: one sample a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from modelkb_viewer.prediction.array_input import prepare_array
from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.prepared import MOST_SAMPLES, Prepared, rows_of

_MOST_BYTES = 50 << 20
# The comma last: it may be the decimal point beside any other.
_DELIMITERS = ";\t|,"
_MISSING = frozenset(["", "nan", "na", "n/a", "null", "none"])
_EXPECTED = "a CSV file with one sample in each row"


def prepare_table(name: str, content: bytes, spec: InputSpec) -> Prepared:
    """Return the rows of a CSV file as samples of an input.

    Raises:
        InputError: It is none, its rows differ in length, a cell is no number, or it has other
            columns than the input has values.
    """
    steps: list[str] = []
    rows, line_numbers = _rows(name, _text(name, content, steps), steps, spec)
    if spec.is_text:
        return _texts(name, rows, spec, steps)
    values = _numbers(name, rows, line_numbers, steps)
    columns = values.shape[1]
    wanted = spec.value_count
    if wanted is not None and columns != wanted:
        raise InputError(
            name, f"it has {_count(columns, 'column')}", f"{wanted}, one for each value"
        )
    if columns == 1 and wanted == 1:
        values = values.reshape(-1, *(each or 1 for each in spec.shape))
    prepared = prepare_array(name, values, spec)
    return Prepared(prepared.array, prepared.samples, (*steps, *prepared.steps), prepared.warnings)


def _text(name: str, content: bytes, steps: list[str]) -> str:
    if len(content) > _MOST_BYTES:
        problem = f"it takes {len(content) >> 20} MiB"
        raise InputError(name, problem, f"{_MOST_BYTES >> 20} MiB at most")
    try:
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = content.decode(encoding)
    except UnicodeDecodeError:
        steps.append("read as Latin-1, as it is no UTF-8")
        text = content.decode("latin-1")
    if "\0" in text:
        raise InputError(name, "it holds bytes that are no text", _EXPECTED)
    return text


def _rows(
    name: str, text: str, steps: list[str], spec: InputSpec
) -> tuple[list[list[str]], list[int]]:
    """Return the rows without their header, and the lines that they are on."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((each for each in _DELIMITERS if each in first), _DELIMITERS[-1])
    if spec.is_text and first.count(delimiter) == 0:
        delimiter = "\x1f"  # a file of texts, one a line
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    has_more = False
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(rows) > MOST_SAMPLES:
                has_more = True
                break
            rows.append([cell.strip() for cell in row])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(name, f"line {reader.line_num}: {error}", _EXPECTED) from error
    if not rows:
        raise InputError(name, "it is empty", _EXPECTED)
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            problem = (
                f"line {line} has {_count(len(row), 'column')}, "
                f"and line {lines[0]} has {len(rows[0])}"
            )
            raise InputError(name, problem, "the same number in every row")
    if _is_header(rows[0], spec):
        steps.append(f"a header of {_count(len(rows[0]), 'column')} left out")
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise InputError(name, "it has a header and nothing below", _EXPECTED)
    if has_more or len(rows) > MOST_SAMPLES:
        steps.append(f"the first {MOST_SAMPLES:,} rows taken")
    return rows[:MOST_SAMPLES], lines[:MOST_SAMPLES]


def _is_header(row: Sequence[str], spec: InputSpec) -> bool:
    if spec.is_text:
        return [cell.casefold() for cell in row] in (["text"], [spec.label.casefold()])
    return not any(_is_number(cell) for cell in row)


def _is_number(cell: str) -> bool:
    if cell.casefold() in _MISSING:
        return bool(cell)
    try:
        float(cell.replace(",", ".", 1))
    except ValueError:
        return False
    return True


def _numbers(
    name: str, rows: list[list[str]], lines: list[int], steps: list[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    values = np.empty((len(rows), len(rows[0])), dtype=np.float64)
    commas = 0
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell.casefold() in _MISSING:
                values[place, column] = np.nan
                continue
            commas += "," in cell
            try:
                values[place, column] = float(cell.replace(",", ".", 1))
            except ValueError:
                shown = cell if len(cell) <= 40 else f"{cell[:40]}.."
                problem = f"line {lines[place]}, column {column + 1} is {shown!r}"
                raise InputError(name, problem, "a number in every cell") from None
    if commas:
        steps.append("commas read as decimal points")
    return values


def _texts(name: str, rows: list[list[str]], spec: InputSpec, steps: list[str]) -> Prepared:
    if len(rows[0]) != 1:
        raise InputError(name, f"it has {len(rows[0])} columns", "one, with a text in each row")
    texts = np.array([row[0] for row in rows], dtype=np.str_)
    shaped = texts.reshape(-1, *(1 for _ in spec.shape))
    return Prepared(shaped, rows_of(len(rows)), tuple(steps))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
