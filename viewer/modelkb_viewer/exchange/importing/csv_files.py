"""Curves in CSV files: those of Keras' ``CSVLogger``, and any with a column of epochs or steps."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from modelkb_viewer.exchange.errors import (
    DamagedSourceError,
    NoRunInFileError,
    NothingToImportError,
)
from modelkb_viewer.exchange.importing.curve_names import split_and_metric
from modelkb_viewer.exchange.importing.decimal_commas import MixedNumbersError, with_decimal_points
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, Point, RunReader

_SEPARATORS = ",;\t"
_LARGEST_EPOCH = 2**31 - 1
_LARGEST_STEP = 2**63 - 1
_TIMES = ("wall_time", "timestamp")
_EXPECTED = "a column `epoch` or `step`, such as Keras' CSVLogger writes"
_NUMBERS = "numbers beside epochs, steps and times (with decimal commas, columns are parted by `;`)"


def find_runs(path: Path, project: str | None) -> Sequence[RunReader]:
    """Find the CSV files of a folder and those below it, or take one file.

    See :class:`.importers.Importer`. Each file is a run, called by its path from the folder. A JSON
    object in a file of the same name with ``.json`` are its hyperparameters. Files without a
    column ``epoch`` or ``step`` are named and passed over.
    """
    folder = path if path.is_dir() else path.parent
    paths = sorted(path.rglob("*.csv")) if path.is_dir() else [path]
    paths = [each for each in paths if each.is_file()]
    if all(_Columns.of(_header(each)) is None for each in paths):
        raise NothingToImportError("CSV", path, f"CSV files with {_EXPECTED}")
    project = project or folder.resolve().name
    return [functools.partial(_read, each, folder, project) for each in paths]


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the columns of a file are, by their positions."""

    count: int
    epoch: int | None
    step: int | None
    time: int | None
    curves: Mapping[int, str]

    @staticmethod
    def of(header: Sequence[str]) -> _Columns | None:
        names = [name.strip().lower().replace(" ", "_") for name in header]
        epoch, step, time = (
            next((names.index(name) for name in wanted if name in names), None)
            for wanted in (("epoch",), ("step",), _TIMES)
        )
        if epoch is None and step is None:
            return None
        known = {epoch, step, time}
        curves = {
            place: name.strip()
            for place, name in enumerate(header)
            if place not in known and name.strip()
        }
        return _Columns(len(header), epoch, step, time, curves)


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first_line = file.readline()
            return next(csv.reader([first_line], delimiter=_separator(first_line)), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _separator(first_line: str) -> str:
    return max(_SEPARATORS, key=first_line.count)


def _read(path: Path, folder: Path, project: str) -> ImportedRun:
    try:
        if _Columns.of(_header(path)) is None:
            raise NoRunInFileError(path, _EXPECTED)
        content = path.read_bytes()
        written_at = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        points = read_points(path, written_at)
    except OSError as error:
        raise DamagedSourceError(path, error) from error
    times = [point.wall_time for point in points]
    name = path.relative_to(folder).with_suffix("").as_posix()
    return ImportedRun(
        # A file that was copied is the same run; one that has grown is another.
        origin=f"{name} {hashlib.sha256(content).hexdigest()}",
        project=project,
        name=name,
        source=f"the file {path.name}",
        started_at=min(times, default=written_at),
        ended_at=max(times, default=written_at),
        parameters=_parameters(path.with_suffix(".json")),
        points=points,
    )


def read_points(path: Path, written_at: datetime) -> list[Point]:
    """Return the points of a file, line by line.

    Args:
        path: The file.
        written_at: When its values came, where it has no column ``wall_time`` or ``timestamp`` (in
            seconds since 1970, or in ISO 8601).

    Raises:
        DamagedSourceError: A line has no epoch, or more cells than there are columns; or the
            numbers of a column are not written alike.
        NoRunInFileError: It has texts, but no number.
        OSError: It cannot be read.
    """
    columns, lines = _lines(path)
    points: list[Point] = []
    for number, cells in lines:
        try:
            points += _points_of_line(cells, columns, written_at)
        except _LineError as error:
            raise DamagedSourceError(path, f"line {number}: {error}") from error
    if not points and any(_text(cells, place) for _, cells in lines for place in columns.curves):
        raise NoRunInFileError(path, _NUMBERS)
    return points


def _lines(path: Path) -> tuple[_Columns, list[tuple[int, list[str]]]]:
    """Return the columns of a file, and the number and the cells of each line that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = _separator(file.readline())
            file.seek(0)
            lines = csv.reader(file, delimiter=separator, strict=True)
            columns = _Columns.of(next(lines))
            assert columns is not None
            found = [(lines.line_num, cells) for cells in lines if any(map(str.strip, cells))]
            if separator == ",":
                return columns, found
            rows = with_decimal_points([cells for _, cells in found])
            return columns, [(number, row) for (number, _), row in zip(found, rows, strict=True)]
    except (UnicodeDecodeError, csv.Error, MixedNumbersError) as error:
        raise DamagedSourceError(path, error) from error


class _LineError(ValueError):
    """A line is not one of a table of curves."""


def _points_of_line(cells: Sequence[str], columns: _Columns, written_at: datetime) -> list[Point]:
    if any(cell.strip() for cell in cells[columns.count :]):
        raise _LineError(f"it has {len(cells)} cells, and the first line has {columns.count}")
    epoch = _count(cells, columns.epoch, _LARGEST_EPOCH)
    step = _count(cells, columns.step, _LARGEST_STEP)
    if epoch is None and step is None:
        raise _LineError("neither epoch nor step is a whole number")
    if epoch is None:
        if step is None or step > _LARGEST_EPOCH:
            raise _LineError("the step is too large to stand for an epoch")
        epoch = step
    time = _text(cells, columns.time)
    moment = _moment(time) if time else written_at
    points = []
    for place, name in columns.curves.items():
        value = _number(cells[place]) if place < len(cells) else None
        if value is not None:
            split, metric = split_and_metric(name)
            step_of_epoch = epoch if step is None else step
            points.append(Point(epoch, step_of_epoch, split, metric, value, moment))
    return points


def _text(cells: Sequence[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _count(cells: Sequence[str], place: int | None, largest: int) -> int | None:
    text = _text(cells, place)
    if not text:
        return None
    number = _number(text)
    if number is None or not number.is_integer() or not 0 <= number <= largest:
        raise _LineError(f"{text!r} is no epoch or step")
    return int(number)


def _number(text: str) -> float | None:
    """Return a value; None where the cell is empty or a text, as what CSVLogger writes NA."""
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    number = _number(text)
    try:
        if number is not None and math.isfinite(number):
            return datetime.fromtimestamp(number, timezone.utc)
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError) as error:
        raise _LineError(f"{text!r} is no time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _parameters(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedSourceError(path, error) from error
    if not isinstance(found, dict):
        raise DamagedSourceError(path, "it is no object of names and values")
    return found
