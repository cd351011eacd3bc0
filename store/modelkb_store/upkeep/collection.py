"""Giving the space back that deleted experiments take, while others record.

Nothing that is in use may go, and nobody holds a lock. What makes it safe:

1. Rows that a log adds count as used, whether its process runs or not; a writer adds to its log
   what it refers to, also if the store has it already. Of a running experiment whose log has
   begun a further file, everything of the project is used.
2. What is younger than the grace counts as used, by the time at which its file was written. A
   writer that finds an object which is there already touches it first, so that it is young
   again, and stores it anew if it is gone by then.
3. Rows go by commits that look at what is used in the very state which they replace. After the
   commit there is another look: rows that somebody began to use in between come back.
4. Objects go when no row leads to them any more, in this order, with a second look at rows and
   times right before.

A tombstone goes when all of its experiment has gone, so that whatever is cut off in between is
hidden, and is done by the next collection.

In buckets packs and variables stay: machines that record into them know by heart what is there.
Do not collect while experiments are copied into the same store.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.rows import remove_rows
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.file_rows import project_of, read_rows
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.keys import ADD_TABLES, PUT_TABLES, SHARED_KEYS
from modelkb_store.layout import tombstone_file
from modelkb_store.log.recovery import recover
from modelkb_store.progress import Progress
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.tables import Tables
from modelkb_store.upkeep.deletion import mark_deleted
from modelkb_store.upkeep.manifest_edits import forget_deleted
from modelkb_store.upkeep.pack_merging import delete_unused_packs, merge_packs, unused_packs
from modelkb_store.upkeep.references import COLLECTED_TABLES, References

GRACE_SECONDS = 3600.0

# Packs are merged in a collection from so many small ones on.
_MANY_PACKS = 8
# The experiment's own row last: it is hidden by the tombstone all the time.
_OF_EXPERIMENT = (
    *(table for table in (*ADD_TABLES, *PUT_TABLES, "trained_weights") if table != "experiments"),
    "experiments",
)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection has removed, or would remove.

    Attributes:
        experiments: Ids of deleted experiments whose rows are gone.
        rows: How many shared rows.
        objects: How many objects.
        object_bytes: Their size.
        merged_packs: How many packs were merged into fewer.
    """

    experiments: tuple[str, ...]
    rows: int
    objects: int
    object_bytes: int
    merged_packs: int = 0


def collect(
    files: Files, *, grace_seconds: float = GRACE_SECONDS, progress: Progress | None = None
) -> Collected:
    """Remove the rows of deleted experiments, and what nothing refers to any more.

    Runs may go on meanwhile, and a collection may be cut off at any instant.

    Args:
        files: The store.
        grace_seconds: What is younger is left alone. It must be longer than any writer takes
            from finding an object to noting that it refers to it: the time to save a
            checkpoint.
        progress: Told how many of how many steps are done.

    Returns:
        What was removed.

    Raises:
        CorruptFileError: A file of the store is damaged; see `modelkb check`.
        OSError: The store cannot be written.

    Example:
        >>> delete_experiment(files, "20261123-142233512-9f1c2b7a4d")
        >>> collect(files).object_bytes
        48213504
    """
    tick = _ticks(progress, len(_OF_EXPERIMENT) + len(COLLECTED_TABLES) + 3)
    cutoff = _cutoff(grace_seconds)
    recover(files)
    deleted = _collectable(files)
    _remove_experiments(files, deleted, tick)
    rows = 0
    for table in COLLECTED_TABLES:
        rows += _remove_unused_rows(files, table, cutoff)
        tick()
    gone = _delete_unused_objects(files, cutoff)
    tick()
    merged = merge_packs(files, cutoff, at_least=_MANY_PACKS)
    tick()
    gone += delete_unused_packs(files, cutoff)
    for run in set(deleted).intersection(_collectable(files)):
        files.delete(tombstone_file(run))
    tick()
    return Collected(tuple(deleted), rows, len(gone), sum(info.size_bytes for info in gone), merged)


def collectable(files: Files, *, grace_seconds: float = GRACE_SECONDS) -> Collected:
    """Return what :func:`collect` would remove now; nothing is changed."""
    cutoff = _cutoff(grace_seconds)

    deleted = _collectable(files)

    def look(now: Snapshot) -> Collected:
        references = References(now, cutoff, deleted)
        rows = sum(
            sum(part.num_rows for part in _unused(now, references, table, folder).values())
            for table in COLLECTED_TABLES
            for folder in _folders(now, table)
            if not (table == "variables" and now.files.local_path("") is None)
        )
        objects = references.unused_objects()
        if files.local_path("") is not None:
            objects += unused_packs(files, references)
        size = sum(info.size_bytes for info in objects)
        return Collected(tuple(deleted), rows, len(objects), size)

    return consistently(files, look)


def _cutoff(grace_seconds: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(seconds=grace_seconds)


def _collectable(files: Files) -> list[str]:
    """Return the deleted experiments that no log is left of: one may have been taken up again."""

    def look(now: Snapshot) -> list[str]:
        return sorted(now.deleted - {log.experiment_id for log in now.logs if log.experiment_id})

    return consistently(files, look)


def _remove_experiments(files: Files, ids: Collection[str], tick: Callable[[], None]) -> None:
    for run in ids:
        mark_deleted(files, run, collected=True)
    for table in _OF_EXPERIMENT:
        for folder in consistently(files, lambda now, t=table: _folders(now, t)) if ids else ():  # type: ignore[misc]
            project = project_of(f"{table}/{folder}/rows")
            remove_rows(files, table, project, "experiment_id", ids)
        tick()


def _remove_unused_rows(files: Files, table: str, cutoff: datetime) -> int:
    """Remove the rows of a shared table that are not in use, and return how many."""
    if table == "variables" and files.local_path("") is None:
        return 0
    count = 0
    for folder in consistently(files, lambda now: _folders_with_unused(now, table, cutoff)):
        removed: list[pa.Table] = []
        plan = functools.partial(
            _without_unused, table=table, folder=folder, cutoff=cutoff, removed=removed
        )
        if commit(files, plan, reads_logs=True):
            forget_deleted(files)
            rows = pa.concat_tables(removed)
            count += rows.num_rows - _bring_back_used(files, table, folder, rows, cutoff)
    return count


def _without_unused(
    now: Snapshot, *, table: str, folder: str, cutoff: datetime, removed: list[pa.Table]
) -> Replacement | None:
    """Plan to remove rows that are not in use, and note them."""
    unused, key = _unused(now, References(now, cutoff), table, folder), SHARED_KEYS[table]
    removed[:] = unused.values()
    if not unused:
        return None
    left = []
    for path, gone in unused.items():
        rows = read_rows(now.files, path, table)
        left.append(rows.filter(pc.invert(pc.is_in(rows[key], pc.unique(gone[key])))))
    return Replacement(table, folder, list(unused), [rows for rows in left if rows.num_rows])


def _unused(now: Snapshot, references: References, table: str, folder: str) -> dict[str, pa.Table]:
    """Return the rows of a project that are not in use, by their file."""
    found = {}
    for info in now.table_files(table):
        if info.path.startswith(f"{table}/{folder}/") and not references.is_young(info):
            rows = read_rows(now.files, info.path, table)
            unused = references.unused_rows(table, project_of(info.path), rows)
            if unused.num_rows:
                found[info.path] = unused
    return found


def _folders_with_unused(now: Snapshot, table: str, cutoff: datetime) -> list[str]:
    references = References(now, cutoff)
    return [each for each in _folders(now, table) if _unused(now, references, table, each)]


def _bring_back_used(
    files: Files, table: str, folder: str, removed: pa.Table, cutoff: datetime
) -> int:
    """Add the rows again that somebody began to use just as they were removed."""
    key, project = SHARED_KEYS[table], project_of(f"{table}/{folder}/rows")
    count = 0

    def plan(now: Snapshot) -> Replacement | None:
        nonlocal count
        references = References(now, cutoff)
        ids = set(pc.unique(removed[key]).to_pylist())
        there = Tables(files, now).read(table, project, [key], where={key: sorted(ids)})
        missing = ids - set(there[key].to_pylist())
        used = [each for each in sorted(missing) if references.is_used(table, project, each)]
        rows = removed.filter(pc.is_in(removed[key], pa.array(used, pa.string())))
        count = rows.num_rows
        return Replacement(table, project_folder(project), (), [rows]) if count else None

    commit(files, plan, reads_logs=True)
    return count


def _delete_unused_objects(files: Files, cutoff: datetime) -> list[FileInfo]:
    candidates = consistently(files, lambda now: References(now, cutoff).unused_objects())
    if not candidates:
        return []
    gone = []
    still = consistently(files, lambda now: References(now, cutoff).unused_objects())
    for info in candidates:
        # The same file, written or touched no later.
        if info in still and info in files.list(info.path.rpartition("/")[0]):
            files.delete(info.path)
            gone.append(info)
    return gone


def _folders(now: Snapshot, table: str) -> list[str]:
    assert table in SCHEMAS
    return sorted({info.folder for info in now.table_files(table)})


def _ticks(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return tick
