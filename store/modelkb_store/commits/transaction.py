"""Giving files of a table other files in their place, all at once for every reader of ours."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.manifest import CompactedFile, Manifest, compacted_name, publish
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.files import Files
from modelkb_store.keys import key_of
from modelkb_store.snapshot import OutdatedSnapshotError, Snapshot
from modelkb_store.table_file import encode_rows

_ATTEMPTS = 100
_LONGEST_PAUSE_SECONDS = 0.5
_MOVES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is to change in a project's part of a table.

    Attributes:
        table: The table.
        project_folder: The folder of the project in it.
        remove: Paths of the files that go.
        add: Rows that come, one new file for each.
        staged: Files that come and are written already, by their path in the store, whose name
            or folder begins with a dot; they get another name.
    """

    table: str
    project_folder: str
    remove: Collection[str]
    add: Sequence[pa.Table] = ()
    staged: Mapping[str, CompactedFile] = field(default_factory=dict)


def commit(
    files: Files,
    plan: Callable[[Snapshot], Replacement | None],
    *,
    reads_logs: bool = False,
) -> bool:
    """Carry out a replacement of files.

    The new files are given their names, then the manifest that makes them count and the old
    ones not, then the old ones are deleted. Somebody who reads the folders without ModelKB may
    see rows twice between the first and the last of these, which takes milliseconds; a crash
    there is mended when the store is opened next.

    Args:
        files: The store.
        plan: Says what to do in a state of the store, or that there is nothing to do. It is
            asked again if another process was faster.
        reads_logs: Whether the plan needs the rows of logs.

    Returns:
        Whether there was something to do.

    Raises:
        StoreBusyError: Other processes were faster all the time.
    """
    reason: Exception | None = None
    for attempt in range(_ATTEMPTS):
        try:
            snapshot = Snapshot(files, reads_logs=reads_logs)
            replacement = plan(snapshot)
            if replacement is None:
                return False
            if _carry_out(files, snapshot, replacement):
                return True
        except (OutdatedSnapshotError, FileNotFoundError) as error:
            reason = error
        time.sleep(
            min(0.005 * attempt, _LONGEST_PAUSE_SECONDS) * (0.5 + secrets.randbelow(100) / 100)
        )
    raise StoreBusyError(files.uri, reason) from reason


def _carry_out(files: Files, snapshot: Snapshot, replacement: Replacement) -> bool:
    manifest, table = snapshot.manifest, replacement.table
    encoded = [encode_rows(table, rows) for rows in replacement.add]
    added: dict[str, CompactedFile] = {}
    for rows, content in zip(replacement.add, encoded, strict=True):
        added[_new_path(replacement, manifest)] = described(table, rows, content)
    # Named only now, in quick succession: until all is done others see rows twice.
    for path, content in zip(added, encoded, strict=True):
        files.write(path, memoryview(content))
    moves = {_new_path(replacement, manifest): path for path in replacement.staged}
    _move(files, moves)
    added |= {path: replacement.staged[before] for path, before in moves.items()}
    there = {info.path for info in files.list(table)}
    of_table = {path for path in manifest.replaced if path.startswith(f"{table}/")}
    after = manifest.changed(added, replacement.remove, forget=of_table - there)
    if not publish(files, after):
        for path in added.keys() - moves.keys():
            files.delete(path)
        _move(files, {before: path for path, before in moves.items()})
        return False
    for path in replacement.remove:
        files.delete(path)
    return True


def _new_path(replacement: Replacement, manifest: Manifest) -> str:
    name = compacted_name(manifest.version + 1, secrets.token_hex(5))
    return f"{replacement.table}/{replacement.project_folder}/{name}.parquet"


def _move(files: Files, moves: Mapping[str, str]) -> None:
    if not moves:
        return  # threads cannot be started as Python ends
    # An object store copies them, which takes its time.
    with ThreadPoolExecutor(_MOVES_AT_ONCE) as pool:
        list(pool.map(lambda target: files.move(moves[target], target), moves))


def described(table: str, rows: pa.Table, content: pa.Buffer | bytes) -> CompactedFile:
    """Return what the manifest says of a file with these rows and this content."""
    key = key_of(table)
    bounds = pc.min_max(rows[key]).as_py() if key is not None else {"min": None, "max": None}
    view = memoryview(content)
    sha256 = hashlib.sha256(view).hexdigest()
    return CompactedFile(rows.num_rows, view.nbytes, sha256, bounds["min"], bounds["max"])
