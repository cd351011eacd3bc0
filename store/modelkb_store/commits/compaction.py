"""Making few large Parquet files of many small ones.

As runs end, those that ended are merged some dozens at a time, and files that have grown equally
large are merged again, so that each row is written a few times in all and the number of files
grows with the logarithm of the number of runs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.manifest import is_compacted
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.file_rows import read_rows
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.keys import key_of
from modelkb_store.progress import Progress
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.tables import once

# Larger ones are left alone: merging takes memory of some times their size.
_FULL_BYTES = 64 << 20
_LOOSE_FILES = 64
_FILES_OF_A_TIER = 8
_SMALLEST_TIER_BYTES = 64 << 10
_MOST_FILES_AT_ONCE = 4096


def compact(files: Files, progress: Progress | None = None) -> int:
    """Merge all files of every table that are not large already.

    It may be stopped at any instant, and others may write, read and compact meanwhile.

    Args:
        files: The store.
        progress: Told how many of how many parts of tables are done.

    Returns:
        How many files are fewer.
    """
    parts = consistently(files, parts_of_tables, reads_logs=False)
    before = consistently(files, _file_count, reads_logs=False)
    for done, (table, folder) in enumerate(parts):
        while commit(files, lambda now, t=table, f=folder: _merge_all(now, t, f)):  # type: ignore[misc]
            pass
        if progress is not None:
            progress(done + 1, len(parts))
    return before - consistently(files, _file_count, reads_logs=False)


def compact_as_runs_end(files: Files, project_folder: str) -> None:
    """Merge a project's files where many small ones have come together."""
    if not consistently(files, lambda now: _is_due(now, project_folder), reads_logs=False):
        return
    for table in SCHEMAS:
        if table != "projects":
            commit(files, lambda now, t=table: _merge_loose(now, t, project_folder))  # type: ignore[misc]
            while commit(files, lambda now, t=table: _merge_tier(now, t, project_folder)):  # type: ignore[misc]
                pass


def parts_of_tables(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return the tables that are merged, each with every folder of a project in it."""
    found: Iterable[tuple[str, str]] = (
        (table, info.folder)
        for table in SCHEMAS
        if table != "projects"
        for info in snapshot.table_files(table)
    )
    return sorted(set(found))


def is_loose(snapshot: Snapshot, path: str) -> bool:
    """Return whether a file is of a run that ended and was never merged."""
    return not is_compacted(path) and not _has_log(snapshot, path)


def mergeable_files(snapshot: Snapshot, table: str, project_folder: str) -> list[FileInfo]:
    """Return the files of a project's part of a table that no running log will touch."""
    return [
        info
        for info in _files_of(snapshot, table, project_folder)
        if is_compacted(info.path) or is_loose(snapshot, info.path)
    ]


def _is_due(snapshot: Snapshot, folder: str) -> bool:
    mine = _files_of(snapshot, "experiments", folder)
    return sum(is_loose(snapshot, info.path) for info in mine) >= _LOOSE_FILES


def _merge_loose(snapshot: Snapshot, table: str, folder: str) -> Replacement | None:
    loose = [i for i in _files_of(snapshot, table, folder) if is_loose(snapshot, i.path)]
    return _merged(snapshot, table, folder, loose[:_MOST_FILES_AT_ONCE])


def _merge_tier(snapshot: Snapshot, table: str, folder: str) -> Replacement | None:
    tiers: dict[int, list[FileInfo]] = defaultdict(list)
    for info in _files_of(snapshot, table, folder):
        if is_compacted(info.path) and info.size_bytes < _FULL_BYTES:
            tiers[_tier(info.size_bytes)].append(info)
    due = [found for found in tiers.values() if len(found) >= _FILES_OF_A_TIER]
    return _merged(snapshot, table, folder, due[0]) if due else None


def _merge_all(snapshot: Snapshot, table: str, folder: str) -> Replacement | None:
    mergeable = mergeable_files(snapshot, table, folder)
    small = [info for info in mergeable if info.size_bytes < _FULL_BYTES]
    chosen: list[FileInfo] = []
    for info in small[:_MOST_FILES_AT_ONCE]:
        chosen.append(info)
        if sum(each.size_bytes for each in chosen) >= _FULL_BYTES:
            break
    return _merged(snapshot, table, folder, chosen)


def _merged(
    snapshot: Snapshot, table: str, folder: str, chosen: list[FileInfo]
) -> Replacement | None:
    if len(chosen) < 2 and not any(not is_compacted(info.path) for info in chosen):
        return None
    # Older first.
    chosen = sorted(chosen, key=lambda info: (not is_compacted(info.path), info.path))
    parts = [read_rows(snapshot.files, info.path, table) for info in chosen]
    rows = sorted_by_key(table, pa.concat_tables(parts))
    return Replacement(table, folder, [i.path for i in chosen], [rows] if rows.num_rows else [])


def sorted_by_key(table: str, rows: pa.Table) -> pa.Table:
    """Return rows in the order of the table's key, those of one key as they were.

    Of shared tables, where two processes stored the same thing at once, one remains.
    """
    key = key_of(table)
    if key is None or not rows.num_rows:
        return rows
    rows = once(rows, table)
    encoded = pc.dictionary_encode(rows[key]).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    # Predictions of a model that nobody knows are of no experiment: they come first.
    ranks = np.append(pc.rank(encoded.dictionary, tiebreaker="dense").to_numpy(), 0)
    keys = ranks[encoded.indices.fill_null(len(ranks) - 1).to_numpy()]
    if np.all(keys[:-1] <= keys[1:]):
        return rows
    return rows.take(pa.array(np.argsort(keys, kind="stable")))


def _tier(size_bytes: int) -> int:
    return max(0, math.ceil(math.log(max(size_bytes, 1) / _SMALLEST_TIER_BYTES, _FILES_OF_A_TIER)))


def _files_of(snapshot: Snapshot, table: str, folder: str) -> list[FileInfo]:
    prefix = f"{table}/{folder}/"
    return [info for info in snapshot.table_files(table) if info.path.startswith(prefix)]


def _has_log(snapshot: Snapshot, path: str) -> bool:
    """Return whether a log is still there that this file may be written from again."""
    parts = PurePosixPath(path)
    return any(
        parts.parent.name == log.name.project_folder and parts.stem.startswith(log.name.log_id)
        for log in snapshot.logs
    )


def _file_count(snapshot: Snapshot) -> int:
    return sum(len(snapshot.table_files(table)) for table in SCHEMAS)
