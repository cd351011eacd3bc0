"""Checks of files by themselves: tables' files, logs, tombstones and the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import PurePosixPath

from modelkb_store.commits.manifest import is_compacted, version_of
from modelkb_store.errors import CorruptFileError
from modelkb_store.files.content_hash import sha256_of
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.layout import AUDIT_FOLDER, audit_day
from modelkb_store.log.claim import is_abandoned
from modelkb_store.log.log_contents import LogContents
from modelkb_store.log.log_name import parse_segment
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot
from modelkb_store.upkeep.finding import Finding, Kind
from modelkb_store.upkeep.parquet_check import check_parquet
from modelkb_store.upkeep.sound_snapshot import Verdicts

REPAIR = "`modelkb check --repair` "
SET_ASIDE = f"{REPAIR}sets it aside"
# A file that counts only once its manifest is there, or a claim, may be that young.
_BEING_WRITTEN_SECONDS = 60.0


def check_table_files(files: Files, snapshot: Snapshot, verdicts: Verdicts) -> Iterator[Finding]:
    """Look at every file in the folders of tables, and at those that the manifest names."""
    there = {}
    for table in SCHEMAS:
        for info in files.list(table):
            there[info.path] = info
            found = _check_table_file(files, snapshot, table, info, verdicts)
            if found is not None:
                yield found
    for path in snapshot.manifest.files:
        if path not in there:
            yield Finding(
                path,
                Kind.MISSING,
                "the manifest names it, but it is not there: its rows are lost",
                "restore it from a backup, else `modelkb check --repair` goes on without it",
            )


def check_logs(files: Files, logs: list[LogContents]) -> Iterator[Finding]:
    """Look at the logs, and at what else is in their folder."""
    for log in logs:
        for segment in log.segments:
            path = log.name.segment(segment.number)
            if segment.damaged_lines:
                problem = f"{segment.damaged_lines} of its lines are damaged and passed over"
                remedy = f"{REPAIR}keeps a copy and goes on with the other lines"
                yield Finding(path, Kind.LOG, problem, remedy)
        if log.is_over and not log.is_alive:
            problem = "its process is dead, and its rows are not in Parquet files yet"
            remedy = "opening the store, as `modelkb ls` does, finishes it"
            path = log.name.segment(log.segments[0].number)
            yield Finding(path, Kind.LOG, problem, remedy)
    for info in files.list("log"):
        if info.path.endswith(".claim"):
            if is_abandoned(files, info):
                problem = "it says that a process folds this log, which does not run any more"
                yield Finding(info.path, Kind.LEFTOVER, problem, SET_ASIDE)
        elif parse_segment(info.path) is None:
            yield _foreign(info.path)


def check_tombstones(files: Files) -> Iterator[Finding]:
    """Look at the notes of what is deleted."""
    for info in files.list("tombstones"):
        path = PurePosixPath(info.path)
        if path.suffix != ".json" or len(path.parts) != 2:
            yield _foreign(info.path)
            continue
        try:
            when = json.loads(files.read(info.path))["deleted_at"]
            datetime.fromisoformat(when)
        except (ValueError, TypeError, KeyError):
            problem = "it cannot be read; the experiment counts as deleted all the same"
            yield Finding(info.path, Kind.DAMAGED, problem, f"{REPAIR}writes it anew")


def check_audit(files: Files) -> Iterator[Finding]:
    """Look at the files of the audit log, not at lines: a killed server leaves parts of these."""
    for info in files.list(AUDIT_FOLDER):
        if audit_day(info.path) is None:
            yield _foreign(info.path)


def _check_table_file(
    files: Files, snapshot: Snapshot, table: str, info: FileInfo, verdicts: Verdicts
) -> Finding | None:
    path = PurePosixPath(info.path)
    in_project = len(path.parts) == 3 and path.parts[1].startswith("project=")
    if path.suffix != ".parquet" or not in_project:
        verdicts.tick()
        return _foreign(info.path)
    if not snapshot.manifest.counts(info.path):
        verdicts.tick()
        return None if _is_being_written(snapshot, info) else _leftover(info.path)
    problem = verdicts.of(info, lambda: check_parquet(files, info.path, table))
    if problem is not None:
        return Finding(
            info.path,
            Kind.DAMAGED,
            f"it cannot be read as a file of the table {table} ({problem}): its rows are lost",
            f"restore it from a backup, else {SET_ASIDE}",
        )
    known = snapshot.manifest.files.get(info.path)
    if known is None:
        return None
    facts = (known.size_bytes, known.sha256)
    problem = verdicts.of(info, lambda: check_content(files, info, *facts), *facts)
    if problem is None:
        return None
    remedy = f"{REPAIR}writes its rows into a new file"
    return Finding(info.path, Kind.DAMAGED, f"it is not as the manifest says: {problem}", remedy)


def check_content(files: Files, info: FileInfo, size_bytes: int | None, sha256: str | None) -> None:
    """Check that a file has the content that a row or the manifest says.

    Raises:
        FileNotFoundError: It is gone.
        CorruptFileError: It has another one.
    """
    if size_bytes is not None and info.size_bytes != size_bytes:
        reason = f"its size is {info.size_bytes} bytes instead of {size_bytes}"
        raise CorruptFileError(info.path, reason) from ValueError(reason)
    with files.open(info.path) as file:
        found = sha256_of(file)
    if sha256 is not None and found != sha256:
        reason = "its content has another hash"
        raise CorruptFileError(info.path, reason) from ValueError(reason)


def _is_being_written(snapshot: Snapshot, info: FileInfo) -> bool:
    age = (datetime.now(timezone.utc) - info.modified).total_seconds()
    is_next = version_of(info.path) > snapshot.manifest.version
    return is_compacted(info.path) and is_next and age < _BEING_WRITTEN_SECONDS


def _leftover(path: str) -> Finding:
    problem = "it does not count: another file has its rows, or its writing was cut off"
    remedy = "opening the store, as `modelkb ls` does, deletes it"
    return Finding(path, Kind.LEFTOVER, problem, remedy)


def _foreign(path: str) -> Finding:
    return Finding(path, Kind.FOREIGN, "it is not a file of ModelKB", SET_ASIDE)
