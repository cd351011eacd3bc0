"""Rows of one experiment in a table that grows while it runs, rewritten as they come."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from modelkb_store.layout import Layout
from modelkb_store.table_file import write_records

_ROWS_PER_PART = 8192


class GrowingTable:
    """Appends records to one experiment's part of a table such as ``metrics``.

    Rows are kept in numbered parts. The last part is rewritten with each flush until it has
    8,192 rows, and then left alone: a flush costs some milliseconds however long the table
    is, and a reader never finds a row twice. Rows of a flush that failed are written by the
    next one, unless they are wrong and would make it fail, too. Threads may share a table.

    Args:
        layout: The store.
        table: The table's name.
        project: The experiment's project.
        stem: How the files' names begin: the experiment's id, and more if several processes
            add to its rows.
    """

    def __init__(self, layout: Layout, table: str, project: str, stem: str) -> None:
        self._layout = layout
        self._table = table
        self._project = project
        self._stem = stem
        self._rows: list[Any] = []
        self._flushed = 0
        self._part = 0
        self._lock = threading.Lock()

    def append(self, rows: Sequence[Any]) -> None:
        """Add records of the table's class; they are on disk after the next :meth:`flush`."""
        with self._lock:
            self._rows.extend(rows)

    def flush(self) -> None:
        """Put all rows on disk.

        Raises:
            OSError: The disk is full or cannot be written; the rows are kept.
            ValueError, TypeError: New rows are not as the table's columns; they are dropped.
        """
        with self._lock:
            if len(self._rows) == self._flushed:
                return
            path = self._layout.part_file(self._table, self._project, self._stem, self._part)
            try:
                write_records(path, self._table, self._rows)
            except (ValueError, TypeError):
                del self._rows[self._flushed :]
                raise
            if len(self._rows) >= _ROWS_PER_PART:
                self._part += 1
                self._rows = []
            self._flushed = len(self._rows)
