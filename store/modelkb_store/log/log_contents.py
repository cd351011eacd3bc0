"""What logs say, read: the rows that running experiments add to the tables."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
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
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.schemas import SCHEMAS

# How long a sender may be silent until its experiment is folded as it is.
_GIVEN_UP_AFTER = timedelta(days=7)

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
        return _concatenated(table, self.added.get(table, []))


@dataclass(frozen=True)
class LogContents:
    """A log, read.

    Attributes:
        name: The log.
        segments: Its files, in order.
        rows_by_table: What those who read it have made of it, for the next of them.
    """

    name: LogName
    segments: tuple[Segment, ...]
    rows_by_table: dict[str, pa.Table] = field(default_factory=dict, compare=False, repr=False)

    @functools.cached_property
    def begin(self) -> Columns:
        """What its first line says."""
        return next((s.begin for s in self.segments if s.begin), {})

    @functools.cached_property
    def experiment_id(self) -> str | None:
        """The experiment that it belongs to; None for predictions of an unknown model."""
        known = self.begin.get("experiment_id")
        # A first line that is damaged takes nothing else with it.
        return self._told_by_rows() if not self.begin else None if known is None else str(known)

    @property
    def is_first(self) -> bool:
        """Whether it is the log that the experiment began with."""
        return self.name.log_id == self.experiment_id

    @property
    def is_whole(self) -> bool:
        """Whether no segment of it is in Parquet files alone."""
        return self.segments[0].number == 0

    @functools.cached_property
    def put(self) -> Mapping[str, pa.Table]:
        """The tables of which it has all rows of the experiment."""
        every: dict[str, pa.Table] = {}
        for segment in self.segments:
            every.update(segment.put)
        return every

    @functools.cached_property
    def cut(self) -> int | None:
        """The epoch from which on rows in Parquet files are void."""
        cuts = [segment.cut for segment in self.segments if segment.cut is not None]
        return min(cuts, default=None)

    @functools.cached_property
    def edit(self) -> Edit | None:
        """What becomes of the experiment's tags and notes; None if it does not say."""
        told = next((s.edit for s in reversed(self.segments) if s.edit is not None), None)
        seen, rows = self.begin.get("seen"), self.put.get("experiments")
        if told is not None or not isinstance(seen, dict) or rows is None or not rows.num_rows:
            return told
        # It goes on with a log whose row was folded: what others have changed since stays.
        row = rows.slice(rows.num_rows - 1).to_pylist()[0]
        tags, notes = tuple(row["tags"] or ()), row["notes"] or ""
        return Edit(tuple(seen.get("tags") or ()), tags, seen.get("notes") or "", notes)

    @property
    def has_ended(self) -> bool:
        """Whether its writer has written all that it had to."""
        return bool(self.segments) and self.segments[-1].has_ended

    @property
    def is_over(self) -> bool:
        """Whether nothing will follow: its writer is through, or dead.

        One that another machine sends may be silent for days and then go on.
        """
        if self.has_ended or not self.is_sent:
            return self.has_ended or not self.is_alive
        silence = datetime.now(timezone.utc) - self.modified
        return silence > _GIVEN_UP_AFTER and not self.is_alive

    @property
    def is_sent(self) -> bool:
        """Whether it is the copy of a log on another machine, which sends it."""
        return bool(self.begin.get("is_sent"))

    @functools.cached_property
    def changes_summaries(self) -> bool:
        """Whether the summaries of the experiment's curves in Parquet files are out of date."""
        has_metrics = any(each.added.get("metrics") for each in self.segments)
        if self.cut is not None or not self.is_whole:
            return True
        return has_metrics and bool(self.added("metrics").num_rows)

    @property
    def modified(self) -> datetime:
        """When it was written to last."""
        return max(segment.modified for segment in self.segments)

    @property
    def is_alive(self) -> bool:
        """Whether the process that writes it runs; one that nobody's writes is given a week."""
        if self.is_sent and not self.begin.get("process"):
            return datetime.now(timezone.utc) - self.modified <= _GIVEN_UP_AFTER
        return self._process.is_alive(self.modified.timestamp())

    @functools.cached_property
    def _process(self) -> ProcessIdentity:
        return ProcessIdentity.from_columns(self.begin.get("process") or {})

    @functools.cached_property
    def stems(self) -> set[str]:
        """The names of the Parquet files that hold what is in these segments."""
        return {self.name.stem(segment.number) for segment in self.segments}

    def added(self, table: str) -> pa.Table:
        """Return the rows that it adds to a table."""
        return _concatenated(table, [self.rows(segment, table) for segment in self.segments])

    def rows(self, segment: Segment, table: str) -> pa.Table:
        """Return the rows that one of its segments adds to a table."""
        rows = segment.rows(table)
        if table != "checkpoints" or not rows.num_rows:
            return rows
        # A better one takes the place of the best so far.
        every = pa.concat_tables([each.rows(table) for each in self.segments])
        best = every.filter(pc.equal(every["kind"], "best"))
        latest = pc.max(best["created_at"])
        is_best = pc.equal(rows["kind"], "best")
        return rows.filter(pc.or_kleene(pc.invert(is_best), pc.equal(rows["created_at"], latest)))

    def _told_by_rows(self) -> str | None:
        for segment in self.segments:
            parts = [*segment.put.values(), *(t for each in segment.added.values() for t in each)]
            for rows in parts:
                if "experiment_id" in rows.column_names:
                    known = pc.drop_null(rows["experiment_id"])
                    if len(known):
                        return str(known[0].as_py())
        return None


def read_logs(
    files: Files, log_id: str | None = None, *, tables: Collection[str] | None = None
) -> list[LogContents]:
    """Read all logs of a store, or those with an id; of one experiment the earlier ones first.

    Args:
        files: The store.
        log_id: Only the logs with this id.
        tables: Only the rows of these tables are read; by default of all. Damaged lines of others
            are not counted, and whose a log is may not be known where its first line is damaged.

    Raises:
        FileNotFoundError: One was folded meanwhile; read again, from the beginning.
    """
    segments: dict[LogName, list[Segment]] = defaultdict(list)
    for info in files.list("log"):
        parsed = parse_segment(info.path)
        if parsed is not None and log_id in (None, parsed[0].log_id):
            name, number = parsed
            segments[name].append(read_segment(files, info, number, tables))
    return logs_of(segments)


def read_heads(files: Files) -> list[LogContents]:
    """Return all logs without their rows: whose they are, and whether they are over.

    Those that are folded meanwhile may be missing: it is not one state of the store.
    """
    segments: dict[LogName, list[Segment]] = defaultdict(list)
    for info in files.list("log"):
        parsed = parse_segment(info.path)
        if parsed is not None:
            name, number = parsed
            with contextlib.suppress(FileNotFoundError):
                head = _read_head(files, info, number)
                segments[name].append(head)
    return logs_of(segments)


def logs_of(segments: Mapping[LogName, list[Segment]]) -> list[LogContents]:
    """Return the logs that some segments are of; see :func:`read_logs`."""
    logs = [LogContents(name, in_order(found)) for name, found in sorted(segments.items())]
    return sorted_logs(logs)


def sorted_logs(logs: Iterable[LogContents]) -> list[LogContents]:
    """Return logs, of one experiment the earlier ones first."""
    # What is said of an experiment when its first log is folded comes in further ones.
    return sorted(logs, key=lambda log: (not log.is_first, log.begin.get("begun") or 0.0))


def _read_head(files: Files, info: FileInfo, number: int) -> Segment:
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


def _concatenated(table: str, parts: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([_no_rows(table), *parts])


@functools.cache
def _no_rows(table: str) -> pa.Table:
    return SCHEMAS[table].empty_table()
