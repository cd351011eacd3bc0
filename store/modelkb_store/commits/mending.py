"""Clearing up after a process that was killed while it replaced files."""

from __future__ import annotations

from datetime import datetime, timezone

from modelkb_store.commits.manifest import (
    Manifest,
    is_compacted,
    publish,
    read_manifest,
    version_of,
)
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.schemas import SCHEMAS

# A replacement takes milliseconds between its first and its last file name.
_GIVEN_UP_AFTER_SECONDS = 60.0


def mend(files: Files) -> list[str]:
    """Delete files that count no longer, or never came to count.

    Returns:
        The paths of what was deleted.
    """
    manifest = read_manifest(files)
    leftovers = []
    for table in SCHEMAS:
        for info in files.list(table):
            if _is_leftover(files, manifest, info):
                files.delete(info.path)
                leftovers.append(info.path)
                manifest = read_manifest(files)
    return leftovers


def _is_leftover(files: Files, manifest: Manifest, info: FileInfo) -> bool:
    if not info.path.endswith(".parquet") or manifest.counts(info.path):
        return False
    if not is_compacted(info.path) or version_of(info.path) <= manifest.version:
        return True
    age = (datetime.now(timezone.utc) - info.modified).total_seconds()
    if version_of(info.path) > manifest.version + 1 or age < _GIVEN_UP_AFTER_SECONDS:
        return False
    # Whoever wrote it may only sleep: once its number is taken, it cannot make the file count.
    return publish(files, manifest.changed({}, ()))
