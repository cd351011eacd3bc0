"""Experiments as edits have made them that are still in logs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pyarrow as pa

from modelkb_store.log.edit import with_values
from modelkb_store.log.log_contents import LogContents
from modelkb_store.snapshot import Snapshot

Named = tuple[Sequence[str], str]


def with_edits(
    rows: pa.Table, snapshot: Snapshot, in_files: Callable[[Collection[str]], pa.Table]
) -> pa.Table:
    """Return rows of the table ``experiments`` with the tags and notes that logs edit.

    Args:
        rows: The rows, each of its last log that has one, else of a file.
        snapshot: The state of the store that they are of.
        in_files: Returns the rows that Parquet files have of some experiments.
    """
    edited = {log.experiment_id for log in snapshot.logs if log.edit is not None}
    ids = rows["experiment_id"].to_pylist()
    wanted = sorted({each for each in ids if each in edited})
    if not wanted:
        return rows
    stored = {row["experiment_id"]: _named(row) for row in in_files(wanted).to_pylist()}
    now = {run: _after(snapshot.logs_of(run), stored.get(run)) for run in wanted}
    old = {name: rows[name].to_pylist() for name in ("tags", "notes") if name in rows.column_names}
    for position, run in enumerate(ids):
        known = now.get(run)
        if known is not None:
            for name, value in zip(("tags", "notes"), known, strict=True):
                if name in old:
                    old[name][position] = value
    return with_values(rows, old)


def _after(logs: Sequence[LogContents], known: Named | None) -> Named | None:
    """Return what becomes of tags and notes, one log after the other."""
    for log in logs:
        row = log.put.get("experiments")
        if row is not None and row.num_rows and (log.edit is None or known is None):
            known = _named(row.to_pylist()[0])
        if log.edit is not None and known is not None:
            known = log.edit.new_tags(known[0]), log.edit.new_notes(known[1])
    return known


def _named(row: dict[str, object]) -> Named:
    tags, notes = row["tags"], row["notes"]
    return (tags if isinstance(tags, list) else []), (notes if isinstance(notes, str) else "")
