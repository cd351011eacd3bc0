"""Experiments as rows for people: what runs is marked, with how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import pandas as pd
import pyarrow as pa

from modelkb_store.records import Status
from modelkb_viewer.printing import duration

PROGRESS = "epochs"
DURATION = "duration_seconds"
# Marks that are told apart without colour.
_MARKS = {
    Status.RUNNING.value: "▶ running",
    Status.FINISHED.value: "✓ finished",
    Status.FAILED.value: "✗ failed",
    Status.INTERRUPTED.value: "◼ interrupted",
}
# Shown under another name than the column of the store.
_LABELS = {
    "name": "Name",
    "project": "Project",
    "status": "Status",
    PROGRESS: "Epochs",
    DURATION: "Duration",
    "started_at": "Started",
    "ended_at": "Ended",
    "experiment_id": "Experiment id",
    "epochs_planned": "Epochs planned",
    "epochs_completed": "Epochs completed",
}


def label_of(column: str) -> str:
    """Return what a column of the listing is called for people."""
    for prefix in ("params.", "metrics."):
        if column.startswith(prefix):
            return column[len(prefix) :]
    return _LABELS.get(column, column.replace("_", " ").capitalize())


def status_text(status: str) -> str:
    """Return a status with a mark in front of it."""
    return _MARKS.get(status, status)


def experiment_frame(
    rows: pa.Table, columns: Sequence[str], now: datetime | None = None
) -> pd.DataFrame:
    """Return some columns of experiments as they are shown.

    Args:
        rows: Of :meth:`modelkb_store.Store.experiment_table`.
        columns: Which ones, in this order: those of the rows, and ``epochs``, how many epochs
            are done of how many. What the rows do not have is empty.
        now: Up to when what runs has lasted; the present by default.
    """
    frame: pd.DataFrame = pd.DataFrame(index=range(rows.num_rows))
    for column in columns:
        frame[column] = _shown(rows, column, now or datetime.now(timezone.utc))
    return frame


def _shown(rows: pa.Table, column: str, now: datetime) -> Any:
    if column == PROGRESS:
        return [
            _progress(done, planned, status)
            for done, planned, status in _records(
                rows, "epochs_completed", "epochs_planned", "status"
            )
        ]
    if column == DURATION:
        return [
            duration(_seconds(took, started, status, now))
            for took, started, status in _records(rows, DURATION, "started_at", "status")
        ]
    if column not in rows.column_names:
        return pd.Series([None] * rows.num_rows, dtype="object")
    if column == "status":
        return [status_text(status) for status in rows[column].to_pylist()]
    return rows[column].to_pandas()


def _records(rows: pa.Table, *columns: str) -> Any:
    return zip(*(rows[column].to_pylist() for column in columns), strict=True)


def _progress(done: int | None, planned: int | None, status: str) -> str:
    if status == Status.FINISHED.value and planned in (done, None):
        return str(done)
    return f"{done or 0} of {planned}" if planned is not None else str(done or 0)


def _seconds(took: float | None, started: datetime, status: str, now: datetime) -> float | None:
    if status == Status.RUNNING.value:
        return max(0.0, (now - started).total_seconds())
    return took
