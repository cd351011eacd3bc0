"""Checking a store: every file, hash and reference."""

from __future__ import annotations

from collections.abc import Callable

from modelkb_store import layout
from modelkb_store._version import FORMAT_VERSION
from modelkb_store.errors import CorruptFileError, StoreNotFoundError
from modelkb_store.files.files import Files
from modelkb_store.progress import Progress
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import consistently
from modelkb_store.tables import Tables
from modelkb_store.upkeep.file_checks import (
    REPAIR,
    check_audit,
    check_logs,
    check_table_files,
    check_tombstones,
)
from modelkb_store.upkeep.finding import Finding, Kind
from modelkb_store.upkeep.object_checks import check_objects
from modelkb_store.upkeep.row_checks import check_rows
from modelkb_store.upkeep.sound_snapshot import SoundSnapshot, Verdicts

__all__ = ["Finding", "Kind", "check"]


def check(files: Files, progress: Progress | None = None) -> list[Finding]:
    """Check a store: that every file can be read, is what it should be, and is there.

    Nothing is changed, and runs may go on meanwhile. What is damaged hides nothing else: all
    other files are checked without it. Only a damaged manifest does, as rows cannot be told
    from rows that do not count; they are checked once it is mended.

    Args:
        files: The store.
        progress: Told how many of how many files are read.

    Returns:
        What is wrong; nothing for a store that is whole.

    Raises:
        StoreNotFoundError: There is no store.
        FormatVersionError: A newer ModelKB made it.
        StoreBusyError: It changed all the time.

    Example:
        >>> check(open_files("modelkb"))
        []
    """
    return examine(files, Verdicts(_ticks(files, progress)))


def examine(files: Files, verdicts: Verdicts) -> list[Finding]:
    """Check a store; see :func:`check`.

    Args:
        files: The store.
        verdicts: What is known of its files from an earlier look.
    """
    version, found = _check_format(files)
    try:
        consistently(files, lambda now: now.manifest, reads_logs=False)
    except CorruptFileError as error:
        path = str(error.path).removeprefix(f"{files.uri}/")
        problem = f"it cannot be read ({error.__cause__}): which files count is not known"
        remedy = f"{REPAIR}makes it anew from the earlier ones and the files that are there"
        return [*found, Finding(path, Kind.MANIFEST, problem, remedy)]
    first = consistently(files, lambda _: _check_all(files, version, verdicts))
    if not first:
        return found
    # Somebody may have changed one table between the looks at it and at another: what is
    # wrong stays wrong.
    second = consistently(files, lambda _: _check_all(files, version, verdicts))
    return found + [each for each in first if each in second]


def _check_all(files: Files, version: int, verdicts: Verdicts) -> list[Finding]:
    snapshot = SoundSnapshot(files)
    found = list(check_table_files(files, snapshot, verdicts))
    unreadable = (Kind.DAMAGED, Kind.FOREIGN)
    snapshot.damaged = {each.path for each in found if each.kind in unreadable}
    tables = Tables(files, snapshot)
    found += check_logs(files, snapshot.logs)
    found += check_tombstones(files)
    found += check_audit(files)
    found += check_rows(tables, snapshot, version)
    found += check_objects(tables, verdicts)
    return found


def _check_format(files: Files) -> tuple[int, list[Finding]]:
    remedy = f"{REPAIR}writes it anew"
    try:
        return layout.check_store(files), []
    except StoreNotFoundError:
        if not any(files.list(table) for table in (*SCHEMAS, "log")):
            raise
        problem = "it is missing: ModelKB takes the folder for no store"
    except CorruptFileError as error:
        problem = f"it cannot be read ({error.__cause__ or 'it says something else'})"
    return FORMAT_VERSION, [Finding(layout.FORMAT_FILE, Kind.FORMAT, problem, remedy)]


def _ticks(files: Files, progress: Progress | None) -> Callable[[], None]:
    if progress is None:
        return lambda: None
    total = sum(len(files.list(folder)) for folder in (*SCHEMAS, "objects"))
    done = 0

    def tick() -> None:
        nonlocal done
        done = min(done + 1, total)
        progress(done, total)

    return tick
