"""Records as lines of a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelkb_store.log.entry import Action, columns_of
from modelkb_store.log.log_writer import LogWriter


def add_rows(writer: LogWriter, table: str, records: Sequence[Any]) -> None:
    """Append rows to a table."""
    writer.append(Action.ADD, table, columns_of(table, records))


def put_rows(writer: LogWriter, table: str, records: Sequence[Any]) -> None:
    """Give an experiment these rows of a table."""
    writer.append(Action.PUT, table, columns_of(table, records))
