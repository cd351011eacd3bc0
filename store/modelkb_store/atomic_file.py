"""Whole files or none: written under a name of their own, then renamed.

Nothing is locked or mapped into memory, so that network file systems and ``rsync`` of a
live store work. A reader sees the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_ON_WINDOWS = os.name == "nt"
_RENAME_ATTEMPTS = 20
_RENAME_PAUSE_SECONDS = 0.05


@contextlib.contextmanager
def unnamed(folder: Path, suffix: str) -> Iterator[Path]:
    """Give a partial file whose final name is not known yet; see :func:`name`.

    Args:
        folder: Where it lies; made if it is missing.
        suffix: How its name ends. The name begins with a dot.

    Yields:
        The path to write to. It is removed at the end, unless it got its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{uuid.uuid4().hex}{suffix}"
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def name(partial: Path, path: Path) -> None:
    """Make a finished partial file durable and give it its name, over an older file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flush_to_disk(partial)
    _rename(partial, path)
    flush_folder(path.parent)


@contextlib.contextmanager
def replacing(path: Path, suffix: str = ".tmp") -> Iterator[Path]:
    """Give a partial sibling to write to; on success it takes the place of ``path``.

    Args:
        path: The file to make or replace. Missing folders are made.
        suffix: How the partial file's name ends, for writers that insist on one. The name
            begins with a dot, which readers of Parquet folders pass over.

    Yields:
        The path to write to. It is removed if the block raises.
    """
    with unnamed(path.parent, suffix) as partial:
        yield partial
        name(partial, path)


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a whole file at once; see :func:`replacing`."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def touch(path: Path) -> bool:
    """Make a file as young as one that is just written; returns whether it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except PermissionError:  # of another user
        return path.exists()
    return True


def flush_to_disk(path: Path) -> None:
    """Make a file's content safe from a power failure."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(partial: Path, path: Path) -> None:
    for attempt in range(_RENAME_ATTEMPTS):
        try:
            os.replace(partial, path)
        except PermissionError:
            # Windows refuses while a reader has the old file open; readers are brief.
            if not _ON_WINDOWS or attempt == _RENAME_ATTEMPTS - 1:
                raise
            time.sleep(_RENAME_PAUSE_SECONDS)
        else:
            return


def flush_folder(folder: Path) -> None:
    """Make the new name itself durable, where the operating system can."""
    if _ON_WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems refuse this for folders; the file itself is safe.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
