"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

_WIDE_ENOUGH = 10_000


def print_json(value: Any) -> None:
    """Print a value as JSON: times in ISO 8601, what is not a finite number as null."""
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print rows of text under column names."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(Text(column), no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # Into a pipe nothing is cut off; on a terminal rich shortens to its width.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDE_ENOUGH)
    console.print(table)


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


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
