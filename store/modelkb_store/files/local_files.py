"""A store on a local or shared file system."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from modelkb_store import atomic_file
from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.files.files import FileInfo

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class LocalFiles:
    """The files of a store in a folder; see :class:`modelkb_store.files.files.Files`.

    Args:
        root: The store's folder; it need not be there yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"LocalFiles({str(self.root)!r})"

    @property
    def uri(self) -> str:
        """The folder."""
        return str(self.root)

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        with _stale_as_missing():
            return self._inside(path).read_bytes()

    def open(self, path: str) -> BinaryIO:
        """Return a file open for reading."""
        with _stale_as_missing():
            return self._inside(path).open("rb")

    def write(self, path: str, content: bytes | memoryview) -> None:
        """Make or replace a file."""
        atomic_file.write_bytes(self._inside(path), content)

    def write_file(self, path: str, local: Path) -> None:
        """Make or replace a file by a local one."""
        target = self._inside(path)
        with atomic_file.replacing(target) as partial:
            try:
                os.replace(local, partial)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                shutil.copyfile(local, partial)
        local.unlink(missing_ok=True)

    def create(self, path: str, content: bytes) -> bool:
        """Make a file, unless it is there.

        A hard link does so at once, whole and on network file systems, too. Where there are
        none, the name is taken first and filled then: a crash in between leaves it empty.
        """
        target = self._inside(path)
        with atomic_file.unnamed(target.parent, ".tmp") as partial:
            partial.write_bytes(content)
            atomic_file.flush_to_disk(partial)
            try:
                os.link(partial, target)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return _take_name(target, partial)
            atomic_file.flush_folder(target.parent)
        return True

    def list(self, folder: str) -> list[FileInfo]:
        """Return the files in a folder and all below it."""
        prefix = f"{folder}/" if folder else ""
        return sorted(_below(self._inside(folder), prefix))

    def exists(self, path: str) -> bool:
        """Return whether a file is there."""
        return self._inside(path).is_file()

    def delete(self, path: str) -> None:
        """Delete a file."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._inside(path).unlink()

    def local_path(self, path: str) -> Path:
        """Return where a file lies."""
        return self._inside(path)

    def _inside(self, path: str) -> Path:
        """Return a path of the store as one of the machine: the only guard of its borders.

        Raises:
            PathOutsideStoreError: It would lead out of the store.
        """
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path[:2]:
            raise PathOutsideStoreError(path, self.uri)
        return self.root.joinpath(*parts.parts)


def _take_name(target: Path, partial: Path) -> bool:
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    atomic_file.name(partial, target)
    return True


def _below(folder: Path, prefix: str) -> Iterator[FileInfo]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir():
                yield from _below(Path(entry.path), f"{prefix}{entry.name}/")
                continue
            found = entry.stat()
        except FileNotFoundError:  # deleted since it was listed
            continue
        modified = datetime.fromtimestamp(found.st_mtime, timezone.utc)
        yield FileInfo(f"{prefix}{entry.name}", found.st_size, modified)


@contextlib.contextmanager
def _stale_as_missing() -> Iterator[None]:
    """Network file systems call a file stale that another machine has deleted."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ESTALE, errno.ENOTDIR):
            raise FileNotFoundError(errno.ENOENT, "deleted meanwhile", error.filename) from error
        raise
