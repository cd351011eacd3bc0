"""Repairing a store: what is broken is set aside, and what can be made anew is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import PurePosixPath

from modelkb_store import layout
from modelkb_store._version import FORMAT_VERSION
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.errors import CorruptFileError
from modelkb_store.file_rows import read_rows
from modelkb_store.files.files import Files
from modelkb_store.log.claim import claimed
from modelkb_store.log.log_name import parse_segment
from modelkb_store.log.recovery import recover
from modelkb_store.progress import Progress
from modelkb_store.upkeep.checking import examine
from modelkb_store.upkeep.deletion import mark_deleted
from modelkb_store.upkeep.finding import Finding, Kind
from modelkb_store.upkeep.log_repair import mend_logs, set_logs_aside, settled_logs
from modelkb_store.upkeep.manifest_repair import drop_from_manifest, rebuild_manifest
from modelkb_store.upkeep.object_repairs import forget_checkpoints, mend_object
from modelkb_store.upkeep.row_repairs import (
    clear_references,
    leave_one,
    make_experiments,
    make_project,
    summarize_again,
)
from modelkb_store.upkeep.set_aside import SetAside
from modelkb_store.upkeep.sound_snapshot import Verdicts

# Each one of these is judged only when all before it are in order: rows cannot be changed
# beside files that cannot be read, and what is lost shows in what refers to it.
_STAGES: tuple[tuple[Kind, ...], ...] = (
    (Kind.FORMAT,),
    (Kind.MANIFEST,),
    (Kind.DAMAGED, Kind.MISSING, Kind.FOREIGN, Kind.LEFTOVER),
    (Kind.LOG,),
    (Kind.DOUBLED,),
    (Kind.REFERENCE,),
    (Kind.SUMMARY,),
)
_MOST_ROUNDS = 30


def repair(files: Files, progress: Progress | None = None) -> list[str]:
    """Bring a store back to where :func:`modelkb_store.upkeep.checking.check` finds nothing.

    What is broken is moved to ``set-aside/<date>/<its path>``, and never deleted; copies of
    rows that are removed lie there, too. Made anew are the manifest, the rows of projects,
    summaries, and rows of experiments of which only others are left. What refers to something
    that is lost is cleared, and the experiment's ``problems`` say so. A repair that was cut
    off is completed by the next.

    Runs may go on meanwhile; of their own logs nothing is changed.

    Args:
        files: The store.
        progress: Told how many of how many rounds are done, which may be fewer in the end.

    Returns:
        What was done, a sentence each.

    Raises:
        StoreNotFoundError: There is no store.
        FormatVersionError: A newer ModelKB made it.
        OSError: The store cannot be written.
    """
    aside = SetAside(files, datetime.now(timezone.utc).date())
    verdicts = Verdicts()
    # Before they are folded, which takes damaged lines away with the rest.
    done = mend_logs(files, aside)
    recover(files)
    for round_number in range(_MOST_ROUNDS):
        found = examine(files, verdicts)
        if progress is not None:
            progress(round_number, round_number + len({each.kind for each in found}))
        done_now = _repair_first_stage(files, found, aside)
        if not done_now:
            break
        done += done_now
        recover(files)
    return done


def _repair_first_stage(files: Files, found: list[Finding], aside: SetAside) -> list[str]:
    """Mend the findings of the first kind that can be mended now."""
    for kinds in _STAGES:
        done: list[str] = []
        for finding in found:
            if finding.kind in kinds:
                done += _repair_one(files, finding, aside)
        if done:
            return done
    return []


def _repair_one(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    mend: dict[Kind, Callable[[], list[str]]] = {
        Kind.FORMAT: lambda: _write_format(files, aside),
        Kind.MANIFEST: lambda: rebuild_manifest(files, aside),
        Kind.DAMAGED: lambda: _mend_file(files, finding, aside),
        Kind.MISSING: lambda: _mend_file(files, finding, aside),
        Kind.FOREIGN: lambda: [f"{finding.path} is moved to {aside.move(finding.path)}"],
        Kind.LEFTOVER: lambda: [f"{finding.path} is moved to {aside.move(finding.path)}"],
        Kind.LOG: lambda: _mend_log(files, finding, aside),
        Kind.DOUBLED: lambda: leave_one(files, finding, aside),
        Kind.REFERENCE: lambda: _mend_reference(files, finding, aside),
        Kind.SUMMARY: lambda: summarize_again(files, finding),
    }
    try:
        return mend[finding.kind]()
    except FileNotFoundError:  # somebody was faster
        return []


def _write_format(files: Files, aside: SetAside) -> list[str]:
    done = f"{layout.FORMAT_FILE} is written anew"
    if files.exists(layout.FORMAT_FILE):
        done += f" (the old one is {aside.copy(layout.FORMAT_FILE)})"
    facts = {"format": "modelkb-store", "version": FORMAT_VERSION}
    files.write(layout.FORMAT_FILE, f"{json.dumps(facts, indent=2)}\n".encode())
    return [done]


def _mend_file(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    folder = PurePosixPath(finding.path).parts[0]
    if folder == "objects":
        return mend_object(files, finding, aside)
    if folder == "tombstones":
        place = aside.copy(finding.path)
        mark_deleted(files, PurePosixPath(finding.path).stem, collected=True)
        return [f"{finding.path} is written anew (the old one is {place})"]
    return _mend_table_file(files, finding, aside, folder)


def _mend_table_file(files: Files, finding: Finding, aside: SetAside, table: str) -> list[str]:
    path = finding.path
    if finding.kind is Kind.MISSING:
        if not drop_from_manifest(files, path):
            return []
        return [f"the manifest no longer names {path}, which is not there"]
    place = aside.copy(path)
    try:
        rows = read_rows(files, path, table)
    except CorruptFileError:
        files.delete(path)
        drop_from_manifest(files, path)
        return [f"{path} is moved to {place}"]
    folder = PurePosixPath(path).parts[1]
    commit(files, lambda _: Replacement(table, folder, [path], [rows] if rows.num_rows else []))
    return [f"the rows of {path} are written into a new file (the old one is {place})"]


def _mend_log(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    done = mend_logs(files, aside)
    parsed = parse_segment(finding.path)
    if done or parsed is None:
        return done
    log = next((each for each in settled_logs(files) if each.name == parsed[0]), None)
    if log is None or log.is_alive:
        return []
    recover(files)
    if not files.exists(finding.path):
        return [f"{finding.path} is folded"]
    with claimed(files, log.name) as is_mine:
        return set_logs_aside(files, aside, finding.path) if is_mine else []


def _mend_reference(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    if finding.column == "experiment_id":
        return make_experiments(files, finding)
    if finding.column == "project":
        return make_project(files, finding)
    if finding.column == "variable_ids":
        return forget_checkpoints(files, finding, aside)
    return clear_references(files, finding)
