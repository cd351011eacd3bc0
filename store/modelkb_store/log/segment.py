"""One file of a log, read."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.files.files import FileInfo, Files
from modelkb_store.log.edit import EDITS, Edit
from modelkb_store.log.entry import (
    Action,
    Columns,
    Entry,
    decode_entry,
    rows_of,
    table_of_line,
)
from modelkb_store.schemas import SCHEMAS

BY_EPOCH = ("metrics", "batch_metrics", "epochs")

# The end of a log is looked for in pieces, the first of which mostly has it.
_BLOCK_BYTES = 4096

# So many tables that a segment adds one after the other are made one.
_MOST_PARTS = 16


@dataclass(slots=True)
class Segment:
    """One file of a log, read. Once it is read nobody changes it.

    Attributes:
        number: Its place in the log.
        added: Rows by table.
        put: All rows of the experiment, by table.
        cut: The epoch from which on earlier rows of the curves are void; None if none are.
        edit: What becomes of the experiment's tags and notes; None if the log does not say.
        begin: What the first line says; None if not even that is whole.
        has_ended: Whether its writer has written all that it had to.
        damaged_lines: Lines in the middle that cannot be read.
        modified: When it was written to last.
        size_bytes: How long its whole lines are.
    """

    number: int
    modified: datetime
    size_bytes: int = 0
    begin: Columns | None = None
    added: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    put: dict[str, pa.Table] = field(default_factory=dict)
    cut: int | None = None
    edit: Edit | None = None
    has_ended: bool = False
    damaged_lines: int = 0

    def rows(self, table: str) -> pa.Table:
        """Return the rows that it adds to a table."""
        return concatenated(table, self.added.get(table, []))


def read_head(files: Files, info: FileInfo, number: int) -> Segment:
    """Read the first and last line of one file of a log: whose it is, and whether it has ended."""
    with files.open(info.path) as file:
        first = file.readline()
        last, size = _last_line(file, len(first))
    segment = Segment(number, info.modified, size)
    for entry in map(decode_entry, (first.removesuffix(b"\n"), last)):
        if entry is not None and entry.action in (Action.BEGIN, Action.END):
            _apply(segment, entry)
    # Else its rows tell whose it is.
    return segment if segment.begin else read_segment(files, info, number)


def _last_line(file: BinaryIO, start: int) -> tuple[bytes, int]:
    """Return the last whole line of a file that may be growing, and where it ends.

    Args:
        file: The file.
        start: Where its second line begins: the first is none of those that are looked at.
    """
    position = end = file.seek(0, os.SEEK_END)
    found, block = b"", _BLOCK_BYTES
    while position > start and found.count(b"\n") < 2:
        begin = max(start, position - block)
        file.seek(begin)
        found = file.read(position - begin) + found
        position, block = begin, 2 * block
    *lines, torn = found.split(b"\n")
    return (lines[-1] if lines else b""), end - len(torn)


def read_segment(
    files: Files, info: FileInfo, number: int, tables: Collection[str] | None = None
) -> Segment:
    """Read one file of a log. A last line that is not whole is being written, or never was."""
    return segment_of(files.read(info.path), info, number, tables)


def segment_of(
    content: bytes, info: FileInfo, number: int, tables: Collection[str] | None = None
) -> Segment:
    """Return what the content of a file of a log says; see :func:`read_segment`."""
    segment = Segment(number, info.modified)
    _take(segment, content, tables)
    return segment


def grown_segment(segment: Segment, info: FileInfo, more: bytes) -> Segment:
    """Return a segment to which lines were appended.

    Args:
        segment: What was read of it before.
        info: The file as it is now.
        more: All that comes after the whole lines that were read.
    """
    added = defaultdict(list, {table: [*parts] for table, parts in segment.added.items()})
    grown = replace(segment, modified=info.modified, added=added, put=dict(segment.put))
    _take(grown, more)
    for table, parts in added.items():
        if len(parts) > _MOST_PARTS:
            added[table] = [pa.concat_tables(parts).combine_chunks()]
    return grown


def _take(segment: Segment, content: bytes, tables: Collection[str] | None = None) -> None:
    """Take the whole lines of a text into a segment, at its end, or those of some tables."""
    *lines, torn = content.split(b"\n")
    segment.size_bytes += len(content) - len(torn)
    waiting: dict[str, list[Entry]] = defaultdict(list)
    put: dict[str, list[Entry]] = defaultdict(list)
    passed_over = SCHEMAS.keys() - tables if tables is not None else ()
    for line in lines:
        if passed_over and table_of_line(line) in passed_over:
            continue
        entry = decode_entry(line)
        if entry is None:
            # Blank ones stand for damaged lines of a log that was sent.
            segment.damaged_lines += bool(line.strip())
        elif entry.action is Action.ADD:
            waiting[entry.table].append(entry)
        elif entry.action is Action.PUT and entry.table in SCHEMAS:
            put[entry.table].append(entry)
        else:
            if entry.action is Action.CUT:  # it is about the rows that came before
                _add_waiting(segment, waiting)
            _apply(segment, entry)
    _add_waiting(segment, waiting)
    for entries in put.values():
        _put_last(segment, entries)


def _put_last(segment: Segment, entries: list[Entry]) -> None:
    """Take the last rows that were put into a table; the others are void, and not looked at."""
    for entry in reversed(entries):
        try:
            segment.put[entry.table] = rows_of(entry)
        except (ValueError, TypeError):
            segment.damaged_lines += 1
        else:
            return


def _add_waiting(segment: Segment, waiting: dict[str, list[Entry]]) -> None:
    """Make rows of many entries of a table at once: one by one takes ten times as long."""
    for table, entries in waiting.items():
        joined = _joined(entries)
        if joined is not None and table in SCHEMAS:
            with contextlib.suppress(ValueError, TypeError):  # one of them is wrong: which?
                segment.added[table].append(rows_of(joined))
                continue
        for entry in entries:
            _apply(segment, entry)
    waiting.clear()


def _joined(entries: list[Entry]) -> Entry | None:
    """Return entries of one table as one; None if their columns do not allow it."""
    names = entries[0].columns.keys()
    for entry in entries:
        lengths = {len(v) if isinstance(v, list) else -1 for v in entry.columns.values()}
        if entry.columns.keys() != names or len(lengths) != 1 or -1 in lengths:
            return None
    columns = {
        name: list(itertools.chain.from_iterable(entry.columns[name] for entry in entries))
        for name in names
    }
    return Entry(Action.ADD, entries[0].table, columns)


def _apply(segment: Segment, entry: Entry) -> None:
    if entry.action is Action.BEGIN:
        segment.begin = segment.begin or entry.columns
    elif entry.action is Action.END:
        segment.has_ended = True
    elif entry.action is Action.CUT:
        _cut(segment, int(entry.columns["epoch"]))
    elif entry.table == EDITS:
        with contextlib.suppress(ValueError, TypeError):
            segment.edit = Edit.from_columns(entry.columns)
    elif entry.table in SCHEMAS:  # else of a later version
        try:
            segment.added[entry.table].append(rows_of(entry))
        except (ValueError, TypeError):
            segment.damaged_lines += 1


def in_order(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return segments by number; what one cuts is void in the earlier ones, too."""
    ordered = sorted(segments, key=lambda segment: segment.number)
    for position, later in enumerate(ordered):
        if later.cut is not None:
            for place, earlier in enumerate(ordered[:position]):
                ordered[place] = replace(earlier, added=defaultdict(list, earlier.added))
                _drop_from(ordered[place], later.cut)
    return tuple(ordered)


def _cut(segment: Segment, epoch: int) -> None:
    segment.cut = epoch if segment.cut is None else min(epoch, segment.cut)
    _drop_from(segment, epoch)


def _drop_from(segment: Segment, epoch: int) -> None:
    for table in BY_EPOCH:
        segment.added[table] = [before_epoch(rows, epoch) for rows in segment.added[table]]


def before_epoch(rows: pa.Table, epoch: int) -> pa.Table:
    """Return the rows of a curve that are of earlier epochs."""
    return rows.filter(pc.less(rows["epoch"], epoch))


def concatenated(table: str, parts: Iterable[pa.Table]) -> pa.Table:
    """Return rows of a table from several parts; there may be none."""
    return pa.concat_tables([_no_rows(table), *parts])


@functools.cache
def _no_rows(table: str) -> pa.Table:
    return SCHEMAS[table].empty_table()
