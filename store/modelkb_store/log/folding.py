"""Turning what a log says into Parquet files: while it grows, and for good when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.manifest import is_compacted
from modelkb_store.commits.rows import replace_rows, rewrite_rows
from modelkb_store.experiment_record import Status
from modelkb_store.file_rows import project_of, read_rows
from modelkb_store.files.files import Files
from modelkb_store.keys import ADD_TABLES, PUT_TABLES, SHARED_KEYS, WRITTEN_TOGETHER
from modelkb_store.log.claim import claimed
from modelkb_store.log.edit import Edit
from modelkb_store.log.log_contents import LogContents, read_heads, read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.log.place import keep_place
from modelkb_store.log.segment import BY_EPOCH, before_epoch
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.summaries import summarize
from modelkb_store.table_file import encode_rows
from modelkb_store.tables import Tables, once

UNSAID_END = "the process ended without a word (killed, or the machine went down)"


def mirror(files: Files, name: LogName) -> None:
    """Write what a log says so far into Parquet files, for those who read only these.

    Readers of ours pass over these files as long as the log is there.
    """
    with claimed(files, name) as is_mine:
        log = _read_log(files, name) if is_mine else None
        if log is not None:
            _write(files, log)


def seal(files: Files, name: LogName, number: int) -> None:
    """Leave the rows of a segment, and of those before it, to Parquet files, and delete them.

    The log goes on in a later segment, which has the rows that are put. All steps can be done
    again.
    """
    with claimed(files, name) as is_mine:
        log = _read_log(files, name) if is_mine else None
        if log is None:
            return
        _write(files, log)
        full = [segment for segment in log.segments if segment.number <= number]
        cuts = [segment.cut for segment in full if segment.cut is not None]
        if cuts:
            _cut_all(files, log, min(cuts))
        keep_place(files, log, full, is_folded=False)
        for segment in full:
            files.delete(name.segment(segment.number))


def fold(files: Files, name: LogName) -> bool:
    """Write what a log says into Parquet files for good, and delete it.

    All steps can be done again: after a crash in the middle the next one who opens the store
    does them.

    Returns:
        False if another process is about it.
    """
    later: list[LogContents] = []
    with claimed(files, name) as is_mine:
        if not is_mine:
            return False
        log = _read_log(files, name)
        if log is None:
            return True
        before, later = _others(files, log)
        is_edit = log.edit is not None and "experiments" not in log.put
        for earlier in before:
            # Whoever goes on with a run does not wait for a machine that has fallen silent.
            is_done = earlier.is_over or not (is_edit or earlier.is_alive)
            if is_done and not fold(files, earlier.name):
                return False
        if is_edit and not all(earlier.is_over for earlier in before):
            return False  # whoever writes that log would write the row over it
        _write(files, log, is_over=True)
        if log.cut is not None:
            _cut_all(files, log, log.cut)
        if not log.is_first:
            _replace(files, log)
        keep_place(files, log, log.segments, is_folded=True)
        for segment in log.segments:
            files.delete(name.segment(segment.number))
    for edit in later:  # they have waited for this one
        if edit.is_over:
            fold(files, edit.name)
    return True


def _read_log(files: Files, name: LogName) -> LogContents | None:
    return next((log for log in read_logs(files, name.log_id) if log.name == name), None)


def _others(files: Files, log: LogContents) -> tuple[list[LogContents], list[LogContents]]:
    """Return the logs of the same experiment that came before, and those that came after."""
    if log.experiment_id is None:
        return [], []
    same = [each for each in read_heads(files) if each.experiment_id == log.experiment_id]
    place = [each.name for each in same].index(log.name)
    return same[:place], same[place + 1 :]


@dataclass(frozen=True, slots=True)
class _File:
    """A Parquet file that is to be made or replaced, or deleted if it has no rows."""

    table: str
    stem: str
    rows: pa.Table


def _write(files: Files, log: LogContents, *, is_over: bool = False) -> None:
    folder = log.name.project_folder
    made = [*_of_shared_tables(files, log, folder), *_of_run(files, log, folder)]
    if log.is_first:
        made += _of_put_tables(files, log, is_over=is_over)
    # The experiment's own row last: who sees it finds the rest.
    for each in sorted(made, key=lambda each: each.table == "experiments"):
        path = f"{each.table}/{folder}/{each.stem}.parquet"
        if each.rows.num_rows:
            files.write(path, memoryview(encode_rows(each.table, each.rows)))
        else:
            files.delete(path)


def _of_run(files: Files, log: LogContents, folder: str) -> Iterator[_File]:
    """Yield what a log adds, by segment; there may be files of rows that are void by now."""
    projects = log.added("projects")
    if projects.num_rows and not files.exists(f"projects/{folder}/project.parquet"):
        yield _File("projects", "project", projects.slice(0, 1))
    for table in ADD_TABLES:
        may_be_void = table == "checkpoints" or (table in BY_EPOCH and log.cut is not None)
        for segment in log.segments:
            rows = log.rows(segment, table)
            if rows.num_rows or may_be_void:
                yield _File(table, log.name.stem(segment.number), rows)


def _of_put_tables(files: Files, log: LogContents, *, is_over: bool) -> Iterator[_File]:
    """Yield what a log has all rows of."""
    put, project = dict(log.put), project_of(log.name.segment(0))
    if is_over:
        put["experiments"] = _ended(put.get("experiments"), log, _epochs(files, log, project))
        put["metric_summaries"] = _summaries(files, log, project)
    yield from (_File(table, log.name.log_id, put[table]) for table in PUT_TABLES if table in put)


def _replace(files: Files, log: LogContents) -> None:
    """Carry out what a later log changes of rows that are in Parquet files."""
    project, run = project_of(log.name.segment(0)), log.experiment_id
    if run is None:
        return
    put = dict(log.put)
    if "experiments" in put:
        put["experiments"] = _ended(put["experiments"], log, _epochs(files, log, project))
    if log.changes_summaries:
        put["metric_summaries"] = _summaries(files, log, project)
    if log.edit is not None:
        _edit(files, log.edit, project, run, put.pop("experiments", None))
    for table, rows in put.items():
        replace_rows(files, table, project, run, rows)


def _edit(files: Files, edit: Edit, project: str, run: str, rows: pa.Table | None) -> None:
    """Change an experiment's tags and notes, and put a row in place of all else that it has."""

    def change(before: pa.Table) -> pa.Table:
        return edit.applied(before if rows is None else rows, before)

    rewrite_rows(files, "experiments", project, change, values=[run])


def _cut_all(files: Files, log: LogContents, epoch: int) -> None:
    """Take the rows of curves from an epoch on out of Parquet files that have no log."""
    project = project_of(log.name.segment(0))
    if log.experiment_id is not None:
        for table in BY_EPOCH:
            _cut(files, table, project, log.experiment_id, epoch)


def _cut(files: Files, table: str, project: str, run: str, epoch: int) -> None:
    def earlier(snapshot: Snapshot) -> pa.Table:
        parts = [
            read_rows(files, info.path, table, where={"experiment_id": [run]})
            for info in snapshot.table_files(table)
            if project_of(info.path) == project
        ]
        return pa.concat_tables([SCHEMAS[table].empty_table(), *parts])

    # The log is still there, so these are the rows without its own.
    rows = consistently(files, earlier, reads_logs=False)
    kept = before_epoch(rows, epoch)
    if kept.num_rows < rows.num_rows:
        replace_rows(files, table, project, run, kept)


def _summaries(files: Files, log: LogContents, project: str) -> pa.Table:
    if log.is_first and log.is_whole:
        return summarize(log.added("metrics"))
    return summarize(_all_rows(files, log, "metrics", project))


def _all_rows(files: Files, log: LogContents, table: str, project: str) -> pa.Table:
    """Return an experiment's rows of a table, also if it is deleted: that may be taken back."""

    def look(snapshot: Snapshot) -> pa.Table:
        snapshot.deleted = set()
        return Tables(files, snapshot).of_experiment(table, project, log.experiment_id or "")

    return consistently(files, look)


def _epochs(files: Files, log: LogContents, project: str) -> int:
    """Return how many epochs of an experiment have ended."""
    if log.is_first and log.is_whole:
        rows = log.added("epochs")
    else:
        rows = _all_rows(files, log, "epochs", project)
    return len(pc.unique(rows["epoch"]))


def _ended(experiments: pa.Table | None, log: LogContents, epochs: int) -> pa.Table:
    """Return the experiment's row; one whose process died is interrupted."""
    rows = SCHEMAS["experiments"].empty_table() if experiments is None else experiments
    if not rows.num_rows or rows["status"][0].as_py() != Status.RUNNING.value:
        return rows
    (row,) = rows.to_pylist()
    changes: dict[str, Any] = {
        "status": Status.INTERRUPTED.value,
        "ended_at": log.modified,
        "duration_seconds": _seconds(row["started_at"], log.modified),
        "epochs_completed": max(epochs, row["epochs_completed"] or 0),
        "problems": [*(row["problems"] or []), UNSAID_END],
    }
    return pa.Table.from_pylist([{**row, **changes}], schema=rows.schema)


def _seconds(started: datetime | None, ended: datetime) -> float | None:
    return None if started is None else max(0.0, (ended - started).total_seconds())


def _of_shared_tables(files: Files, log: LogContents, folder: str) -> Iterator[_File]:
    """Yield what a log tells of shared entities that the project's Parquet files do not have."""
    told = {table: log.added(table) for table in SHARED_KEYS}
    ids = {table: set(rows[SHARED_KEYS[table]].to_pylist()) for table, rows in told.items()}
    new = _not_in_files(files, folder, ids)
    for table, key in SHARED_KEYS.items():
        if not new[table]:
            continue
        wanted = pa.array(sorted(new[table]), pa.string())
        fresh = once(told[table].filter(pc.is_in(told[table][key], wanted)), table)
        if table in WRITTEN_TOGETHER:
            yield from _by_segment(log, table, fresh)
        else:  # one each, so that the next who has it sees so by the name
            for entity in wanted.to_pylist():
                yield _File(table, entity, fresh.filter(pc.equal(fresh[key], entity)))


def _by_segment(log: LogContents, table: str, fresh: pa.Table) -> Iterator[_File]:
    """Yield the rows of a shared table by the segments of the log that tell of them."""
    key = SHARED_KEYS[table]
    for segment in log.segments:
        told = segment.rows(table)[key].to_pylist()
        rows = fresh.filter(pc.is_in(fresh[key], pa.array(told, pa.string())))
        if rows.num_rows:
            yield _File(table, log.name.stem(segment.number), rows)


def _not_in_files(files: Files, folder: str, ids: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """Return by shared table which ids are not in a project's Parquet files yet."""
    missing = {
        table: {each for each in of_table if not files.exists(f"{table}/{folder}/{each}.parquet")}
        for table, of_table in ids.items()
    }
    if not any(missing.values()):
        return missing

    def look(snapshot: Snapshot) -> dict[str, set[str]]:
        return {
            table: of_table - _in_files_of(snapshot, table, folder, of_table)
            for table, of_table in missing.items()
        }

    return consistently(files, look, reads_logs=False)


def _in_files_of(snapshot: Snapshot, table: str, folder: str, ids: Set[str]) -> set[str]:
    """Return which ids files of a table have that are not named by an id."""
    known: set[str] = set()
    key = SHARED_KEYS[table]
    for info in snapshot.table_files(table) if ids else ():
        of_project = info.path.startswith(f"{table}/{folder}/")
        # A loose file with another id as its name holds that one only.
        if of_project and (is_compacted(info.path) or table in WRITTEN_TOGETHER):
            rows = read_rows(snapshot.files, info.path, table, [key], where={key: ids})
            known |= set(rows[key].to_pylist())
    return known
