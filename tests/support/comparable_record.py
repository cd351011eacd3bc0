"""Everything that was recorded, but for what two runs of one script always differ in."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelkb_store import Store
from modelkb_store.schemas import SCHEMAS

# Ids, times, the machine's state at the moment.
DIFFERS = {
    "experiment_id",
    "created_at",
    "started_at",
    "ended_at",
    "duration_seconds",
    "wall_time",
    "prediction_id",
    "process_id",
}
# What comes of the script's text or of how it was started.
OF_THE_TEXT = {"implementation_id", "model_id", "name", "command_line", "definitions", "data_slice"}
# Their rows depend on how long something took.
_WITHOUT_VALUES = {"resources"}

Record = dict[str, list[dict[str, Any]]]


def everything_in(
    store: str | Path, project: str | None = None, *, without: Collection[str] = ()
) -> Record:
    """Return all rows of all tables.

    Args:
        store: Where they are.
        project: Only this one's, and without its name.
        without: Columns that differ for a further reason; those of layers are kept.
    """
    opened, kept = Store(store), {}
    names = {"project"} if project else set()
    for table in SCHEMAS:
        if table in _WITHOUT_VALUES:
            continue
        left_out = DIFFERS | names | (set(without) if table != "layers" else set())
        kept[table] = [
            {column: value for column, value in row.items() if column not in left_out}
            for row in opened.table(table, project).to_pylist()
        ]
    return kept


def in_any_order(record: Record) -> dict[str, list[str]]:
    """Return the rows as texts, for stores whose tables came together in another order."""
    return {table: sorted(map(repr, rows)) for table, rows in record.items()}
