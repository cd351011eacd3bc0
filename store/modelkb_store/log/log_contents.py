"""What logs say, read: the rows that running experiments add to the tables."""

from __future__ import annotations

import contextlib
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.files.files import Files
from modelkb_store.log.edit import Edit
from modelkb_store.log.entry import Columns
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.log.segment import Segment, concatenated, in_order, read_head, read_segment

# How long a sender may be silent until its experiment is folded as it is.
_GIVEN_UP_AFTER = timedelta(days=7)


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
        return concatenated(table, [self.rows(segment, table) for segment in self.segments])

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
                head = read_head(files, info, number)
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
