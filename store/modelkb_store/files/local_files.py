"""A store on a local or shared file system."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from modelkb_store import atomic_file
from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.files.files import FileInfo
from modelkb_store.files.store_path import parts_of

_ON_WINDOWS = os.name == "nt"
# What FAT, some FUSE and some network file systems answer.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
# A file system calls a handle stale if another machine has deleted the file.
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ESTALE)


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
        with self.open(path) as file, _missing_in_one_way(path):
            return file.read()

    def open(self, path: str) -> BinaryIO:
        """Return a file open for reading; it stays what it is if it is replaced meanwhile."""
        with _missing_in_one_way(path):
            return self._inside(path).open("rb")

    def write(self, path: str, content: bytes | memoryview) -> None:
        """Make or replace a file."""
        atomic_file.write_bytes(self._inside(path), content)

    def write_file(self, path: str, local: Path) -> None:
        """Make or replace a file by a local one: renamed on one device, else copied."""
        target = self._inside(path)
        # It is new here, even if it was written long ago: collecting garbage spares new files.
        os.utime(local)
        try:
            atomic_file.name(local, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with atomic_file.replacing(target) as partial:
                shutil.copyfile(local, partial)
            local.unlink()

    def move(self, path: str, target: str) -> None:
        """Give a file another name in the store."""
        self.write_file(target, self._inside(path))

    def create(self, path: str, content: bytes) -> bool:
        """Make a file, unless it is there.

        A hard link does so at once, whole, and on network file systems, too. Where there are
        none, the name is taken first and filled then: for a moment, and after a crash in it
        for good, the file is there and empty.
        """
        target = self._inside(path)
        with atomic_file.unnamed(target.parent, ".tmp") as partial:
            partial.write_bytes(content)
            atomic_file.flush_to_disk(partial)
            try:
                made = _name_if_free(partial, target)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                made = _take_name(partial, target)
            if made:
                atomic_file.flush_folder(target.parent)
        return made

    def list(self, folder: str) -> list[FileInfo]:
        """Return the files in a folder and all below it."""
        prefix = "".join(f"{part}/" for part in parts_of(folder, self.uri))
        return sorted(self._below(str(self._inside(folder)), prefix), key=lambda info: info.path)

    def exists(self, path: str) -> bool:
        """Return whether a file is there."""
        return self._inside(path).is_file()

    def delete(self, path: str) -> None:
        """Delete a file."""
        with contextlib.suppress(FileNotFoundError), _missing_in_one_way(path):
            self._inside(path).unlink()

    def local_path(self, path: str) -> Path:
        """Return where a file lies."""
        return self._inside(path)

    def _inside(self, path: str) -> Path:
        """Return a path of the store as one of this machine.

        Raises:
            PathOutsideStoreError: It would lead out of the store, maybe by a link in it.
        """
        below = str(self.root)
        for part in parts_of(path, self.uri):
            below = os.path.join(below, part)
            if os.path.islink(below):
                self._check_link(below, path)
        return Path(below)

    def _check_link(self, link: str, path: str) -> None:
        root = os.path.realpath(self.root)
        if not os.path.realpath(link).startswith(os.path.join(root, "")):
            raise PathOutsideStoreError(path, self.uri)

    def _below(self, folder: str, prefix: str) -> Iterator[FileInfo]:
        for entry in _visible_entries(folder):
            path = f"{prefix}{entry.name}"
            if entry.is_symlink():
                self._check_link(entry.path, path)
            try:
                if entry.is_dir():
                    yield from self._below(entry.path, f"{path}/")
                    continue
                facts = entry.stat()
            except OSError as error:
                if error.errno in _MISSING:  # deleted since it was listed
                    continue
                raise
            modified = datetime.fromtimestamp(facts.st_mtime, timezone.utc)
            yield FileInfo(path, facts.st_size, modified)


def _visible_entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if error.errno in _MISSING:
            return []
        raise


def _name_if_free(partial: Path, target: Path) -> bool:
    try:
        if _ON_WINDOWS:  # where renaming never replaces
            os.rename(partial, target)
        else:
            os.link(partial, target)
    except FileExistsError:
        # NFS may repeat a request that was carried out; then the name is ours all the same.
        return not _ON_WINDOWS and partial.stat().st_nlink > 1
    return True


def _take_name(partial: Path, target: Path) -> bool:
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    atomic_file.name(partial, target)
    return True


@contextlib.contextmanager
def _missing_in_one_way(path: str) -> Iterator[None]:
    """Turn the many ways in which a file can be missing into FileNotFoundError."""
    try:
        yield
    except OSError as error:
        if error.errno in _MISSING and not isinstance(error, FileNotFoundError):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
        raise
