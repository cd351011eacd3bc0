"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import click

from modelkb_viewer.colours import console_settings
from modelkb_viewer.json_values import plain

_WIDE_ENOUGH = 10_000
_BETWEEN_COLUMNS = 3


def print_json(value: Any) -> None:
    """Print a value as JSON: times in ISO 8601, what is not a finite number as null."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    at_least: int | None = None,
    colours: Mapping[str, str] | None = None,
) -> None:
    """Print rows of text under column names.

    Args:
        columns: The names.
        rows: The cells.
        right: The columns of numbers, which are set to the right.
        at_least: How many columns to keep where the terminal is too narrow for all; all by
            default. Into a pipe all are written, and nothing is cut off.
        colours: Cells that have a colour of their own, such as a status.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    class Output(Console):
        def on_broken_pipe(self) -> None:
            # Rich would end the process; `main` does so, for everything that is printed.
            raise BrokenPipeError

    width = None if sys.stdout.isatty() else _WIDE_ENOUGH
    console = Output(width=width, **console_settings())
    shown = _columns_that_fit(columns, rows, console.width, at_least or len(columns))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns[:shown]:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        table.add_column(Text(column), no_wrap=True, justify=justify)
    for row in rows:
        table.add_row(*(Text(cell, (colours or {}).get(cell, "")) for cell in row[:shown]))
    console.print(table)


def _columns_that_fit(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, at_least: int
) -> int:
    widths = [
        max(map(len, [column, *(row[index] for row in rows)])) + _BETWEEN_COLUMNS
        for index, column in enumerate(columns)
    ]
    shown = len(columns)
    while shown > at_least and sum(widths[:shown]) > width:
        shown -= 1
    return shown


def cell(value: Any) -> str:
    """Return any value as the text of a table's cell."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value) if value.tzinfo else str(value)
    if isinstance(value, float):
        return number(value)
    shown = plain(value)
    return shown if isinstance(shown, str) else json.dumps(shown, default=str)


def number(value: float | None) -> str:
    """Return a number as people read it: four digits that matter."""
    return "" if value is None else f"{value:.4g}"


def moment(value: datetime | None) -> str:
    """Return a time to the second, in the reader's time zone."""
    return "" if value is None else f"{value.astimezone():%Y-%m-%d %H:%M:%S}"


def duration(seconds: float | None) -> str:
    """Return a duration such as ``1:02:03``, or ``4.2s`` under a minute."""
    if seconds is None:
        return ""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds + 0.05), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
