"""Changing the manifest alone."""

from __future__ import annotations

from collections.abc import Callable

from modelkb_store.commits.manifest import Manifest, publish, read_manifest
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.files import Files

_ATTEMPTS = 100


def change_manifest(files: Files, change: Callable[[Manifest], Manifest | None]) -> bool:
    """Publish what becomes of the newest manifest.

    Args:
        files: The store.
        change: Gets it, and returns the next; None if there is nothing to change.

    Returns:
        Whether there was.
    """
    for _ in range(_ATTEMPTS):
        try:
            after = change(read_manifest(files))
        except FileNotFoundError:  # a newer one is there by now
            continue
        if after is None:
            return False
        if publish(files, after):
            return True
    raise StoreBusyError(files.uri, None)


def forget_deleted(files: Files) -> bool:
    """Let names of files count again that were replaced, and are deleted by now.

    Shared rows lie in files that are called by their id: who stores the same thing again
    writes a file of the same name.
    """

    def change(manifest: Manifest) -> Manifest | None:
        gone = {path for path in manifest.replaced if not files.exists(path)}
        return manifest.changed({}, (), forget=gone) if gone else None

    return change_manifest(files, change)
