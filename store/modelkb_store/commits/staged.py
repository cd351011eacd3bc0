"""Putting files that others have written, such as Spark, in the place of files of a table.

They are written into a folder of the store whose name begins with a dot, which every reader passes
over, and count from the moment that all of them are committed.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelkb_store.commits.compaction import mergeable_files
from modelkb_store.commits.manifest import CompactedFile
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.errors import StagedFileError
from modelkb_store.files.content_hash import sha256_of
from modelkb_store.files.files import Files
from modelkb_store.keys import key_of
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot
from modelkb_store.table_file import ROW_GROUP_ROWS, writer_options


def staging_folder() -> str:
    """Return the name of a new folder for files that do not count yet."""
    return f".staged-{secrets.token_hex(8)}"


def write_staged(
    files: Files, table: str, path: str, batches: Iterable[pa.RecordBatch]
) -> CompactedFile | None:
    """Write rows into a file as ModelKB does, without holding more than a part in memory.

    Args:
        files: The store.
        table: The table.
        path: Where to, in a :func:`staging_folder`.
        batches: The rows, in the order of the table's key; types may be spelt as Spark does.

    Returns:
        What is known of the file; None, and no file, without rows.
    """
    schema = SCHEMAS[table]
    # The end of a name decides nothing, and Windows opens no file twice.
    with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
        local = Path(folder) / "rows.parquet"
        rows = 0
        with pq.ParquetWriter(local, schema, **writer_options(table)) as writer:
            for part in _row_groups(batches):
                writer.write_table(part.select(schema.names).cast(schema))
                rows += part.num_rows
        if not rows:
            return None
        files.write_file(path, local)
    return describe_staged(files, table, path)


def describe_staged(files: Files, table: str, path: str) -> CompactedFile:
    """Return what the manifest says of a file, which is read once for that.

    Raises:
        FileNotFoundError: It is not there.
        StagedFileError: It is not a file of this table as ModelKB writes it.
    """
    with files.open(path) as file:
        sha256, size = sha256_of(file), file.tell()
        file.seek(0)
        try:
            found = pq.ParquetFile(file, page_checksum_verification=True)
            _check_schema(found.schema_arrow, table, f"{files.uri}/{path}")
            bounds = _bounds(found, key_of(table))
        except pa.ArrowException as error:
            raise StagedFileError(f"{files.uri}/{path}", table, error) from error
        return CompactedFile(found.metadata.num_rows, size, sha256, *bounds)


def commit_files(
    files: Files,
    table: str,
    project_folder: str,
    staged: Mapping[str, CompactedFile],
    remove: Collection[str],
) -> bool:
    """Put staged files in the place of files of a table, all at once for readers of ModelKB.

    Args:
        files: The store.
        table: The table.
        project_folder: The folder of the project in it, such as ``project=digits``.
        staged: The new files by path, as :func:`describe_staged` says. They are moved.
        remove: The files whose rows they have, as
            :func:`modelkb_store.commits.compaction.mergeable_files` named them before the rows
            were read. They are deleted.

    Returns:
        False, and nothing is changed, if one of those does not count any more: somebody has merged
        or edited it meanwhile, and the staged rows are out of date.

    Raises:
        StagedFileError: A staged file is not there.
        StoreBusyError: Other processes changed the store all the time.

    Example:
        >>> inputs = consistently(files, lambda now: mergeable_files(now, "metrics", folder))
        >>> path = f"{staging_folder()}/0.parquet"
        >>> facts = write_staged(files, "metrics", path, sorted_batches(inputs))
        >>> commit_files(files, "metrics", folder, {path: facts}, [i.path for i in inputs])
        True
    """
    replaced = frozenset(remove)

    def plan(snapshot: Snapshot) -> Replacement | None:
        for path in staged:
            if not files.exists(path):
                raise StagedFileError(f"{files.uri}/{path}", table, "it is not there")
        there = {info.path for info in mergeable_files(snapshot, table, project_folder)}
        if not replaced <= there:
            return None
        return Replacement(table, project_folder, replaced, staged=staged)

    return commit(files, plan)


def discard_staged(files: Files, folder: str) -> None:
    """Delete what is left in a staging folder."""
    for info in files.list(folder):
        files.delete(info.path)
    local = files.local_path(folder)
    if local is not None:
        with contextlib.suppress(OSError):  # it never was there, or another process writes to it
            local.rmdir()


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, count = [], 0
    if count:
        yield pa.Table.from_batches(waiting)


def _check_schema(found: pa.Schema, table: str, place: str) -> None:
    schema = SCHEMAS[table]
    if not found.equals(schema):
        missing = [name for name in schema.names if name not in found.names]
        reason = f"it has no column {missing[0]}" if missing else "its columns are others"
        raise StagedFileError(place, table, reason)
    # Readers take columns that a later version adds for null, where the file says so.
    if (found.metadata or {}).get(b"modelkb.table") != table.encode():
        raise StagedFileError(place, table, "its metadata lacks modelkb.table")


def _bounds(file: pq.ParquetFile, key: str | None) -> tuple[str | None, str | None]:
    if key is None:
        return None, None
    found = [pc.min_max(batch[key]).as_py() for batch in file.iter_batches(columns=[key])]
    firsts = [each["min"] for each in found if each["min"] is not None]
    lasts = [each["max"] for each in found if each["max"] is not None]
    return min(firsts, default=None), max(lasts, default=None)
