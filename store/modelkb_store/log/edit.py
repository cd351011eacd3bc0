"""Changing an experiment's tags and notes beside whoever else changes them.

A process that records keeps its experiment's row in memory and writes all of it again, so a row
cannot carry what others change. An edit can: it says what there was before and what is to be, and
goes together with what was added meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from modelkb_store.log.entry import Columns

# How the entry's table is called; it is in logs alone.
EDITS = "edits"


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody made of tags and notes.

    Attributes:
        tags_before: The tags that were seen; None if the edit is not about tags.
        tags: The tags that are to be.
        notes_before: The notes that were seen; None if the edit is not about notes.
        notes: The notes that are to be.
    """

    tags_before: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    notes_before: str | None = None
    notes: str | None = None

    @classmethod
    def from_columns(cls, columns: Columns) -> Edit:
        """Return the edit of a log's entry.

        Raises:
            ValueError, TypeError: It is none.
        """
        values = {name: _first(columns.get(name)) for name in cls.__slots__}
        for name in ("tags_before", "tags"):
            if values[name] is not None:
                values[name] = tuple(map(str, values[name]))
        return cls(**values)

    def as_columns(self, experiment_id: str) -> Columns:
        """Return the entry of a log: one row, as of a table."""
        values = {name: getattr(self, name) for name in self.__slots__}
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
        return {"experiment_id": [experiment_id], **{name: [v] for name, v in plain.items()}}

    def new_tags(self, now: Sequence[str]) -> list[str]:
        """Return the tags as they become: those that others added meanwhile stay."""
        if self.tags is None or self.tags_before is None:
            return list(now)
        if list(now) == list(self.tags_before):
            return list(self.tags)
        kept = [tag for tag in now if tag in self.tags or tag not in self.tags_before]
        return [*kept, *(t for t in self.tags if t not in self.tags_before and t not in kept)]

    def new_notes(self, now: str) -> str:
        """Return the notes as they become: lines that others added meanwhile stay.

        To do it twice is to do it once.
        """
        if self.notes is None or self.notes_before is None:
            return now
        before, after, lines = map(_lines, (self.notes_before, self.notes, now))
        appends = _begins(after, before)
        if appends and _begins(lines, after):
            return now
        if _begins(lines, before):
            return "\n".join(after + lines[len(before) :])
        if _begins(lines, after):
            return now
        if appends:  # below what somebody has written anew
            added = after[len(before) :]
            return now if lines[-len(added) :] == added else "\n".join(lines + added)
        return self.notes

    def applied(self, rows: pa.Table, before: pa.Table) -> pa.Table:
        """Return an experiment's row with the tags and notes that become of an earlier one.

        Args:
            rows: The row that is to be, but for tags and notes.
            before: The row whose tags and notes the edit changes; none if there is none.
        """
        if not before.num_rows or not rows.num_rows:
            return rows
        last = before.slice(before.num_rows - 1)
        tags = self.new_tags(last["tags"][0].as_py() or ())
        notes = self.new_notes(last["notes"][0].as_py() or "")
        return with_values(rows, {"tags": [tags] * rows.num_rows, "notes": [notes] * rows.num_rows})


def with_values(rows: pa.Table, columns: dict[str, list[Any]]) -> pa.Table:
    """Return rows with other values in some columns, those of them that they have."""
    for name, values in columns.items():
        position = rows.schema.get_field_index(name)
        if position >= 0:
            field = rows.schema.field(position)
            rows = rows.set_column(position, field, pa.array(values, field.type))
    return rows


def _first(column: Any) -> Any:
    return column[0] if isinstance(column, list) else column


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _begins(lines: list[str], beginning: list[str]) -> bool:
    return lines[: len(beginning)] == beginning
