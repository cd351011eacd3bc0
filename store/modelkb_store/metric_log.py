"""The curves of a running experiment, rewritten to Parquet as they grow."""

from __future__ import annotations

from modelkb_store.layout import Layout
from modelkb_store.records import MetricRecord
from modelkb_store.table_file import write_records

_ROWS_PER_PART = 8192


class MetricLog:
    """Appends rows to one experiment's part of ``metrics`` or ``batch_metrics``.

    Rows are kept in numbered parts. The last part is rewritten with each flush until it has
    8,192 rows, and then left alone: a flush costs some milliseconds however long the curves
    are, and a reader never finds a row twice. Rows of a flush that failed are written by the
    next one.

    Args:
        layout: The store.
        table: ``metrics`` or ``batch_metrics``.
        project: The experiment's project.
        experiment_id: The experiment.
    """

    def __init__(self, layout: Layout, table: str, project: str, experiment_id: str) -> None:
        self._layout = layout
        self._table = table
        self._project = project
        self._experiment_id = experiment_id
        self._rows: list[MetricRecord] = []
        self._flushed = 0
        self._part = 0

    def append(self, rows: list[MetricRecord]) -> None:
        """Add rows; they are on disk after the next :meth:`flush`."""
        self._rows.extend(rows)

    def flush(self) -> None:
        """Put all rows on disk.

        Raises:
            OSError: The disk is full or cannot be written; the rows are kept.
        """
        if len(self._rows) == self._flushed:
            return
        path = self._layout.metric_file(self._table, self._project, self._experiment_id, self._part)
        write_records(path, self._table, self._rows)
        if len(self._rows) >= _ROWS_PER_PART:
            self._part += 1
            self._rows = []
        self._flushed = len(self._rows)
