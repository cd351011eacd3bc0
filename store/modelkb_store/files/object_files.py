"""A store in a bucket of S3, Google Cloud Storage or what speaks like them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from modelkb_store.files.claim import Claims
from modelkb_store.files.files import FileInfo
from modelkb_store.files.object_errors import reached
from modelkb_store.files.object_reader import reader_of
from modelkb_store.files.store_path import parts_of

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.fs

_PIECE_BYTES = 8 * 2**20
_PIECES_IN_FLIGHT = 4
_UNKNOWN_TIME = datetime.fromtimestamp(0, timezone.utc)

# Uploads that failed in between. An upload ends when its stream is closed, which dropping the
# last reference does, too, and the part of the content would take the place of the object.
_unfinished: list[pyarrow.NativeFile] = []


class ObjectFiles:
    """The files of a store in a bucket; see :class:`modelkb_store.files.files.Files`.

    An object appears whole when its upload ends, and readers see it at once: S3, GCS and
    MinIO promise that listings are up to date, which :meth:`create` needs.

    Args:
        filesystem: The object store.
        root: Bucket and prefix of the store, such as ``bucket/team/modelkb``.
        uri: The place, for people; without credentials.
    """

    def __init__(self, filesystem: pyarrow.fs.FileSystem, root: str, uri: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")
        self._uri = uri
        self._claims = Claims(self)

    def __repr__(self) -> str:
        return f"ObjectFiles({self._uri!r})"

    @property
    def uri(self) -> str:
        """The place, without credentials."""
        return self._uri

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            FileNotFoundError: It is not there.
            StoreUnreachableError: The server does not answer or refuses, as in all methods.
        """
        with self._reached(path), self.filesystem.open_input_file(self._inside(path)) as file:
            return cast(bytes, file.read())

    def open(self, path: str) -> BinaryIO:
        """Return a file open for reading at any position.

        A small one is in memory. Reading from a large one may raise FileNotFoundError, if it is
        deleted meanwhile, and StoreUnreachableError.
        """
        with self._reached(path):
            file = self.filesystem.open_input_file(self._inside(path))
        return reader_of(file, self._uri, path)

    def write(self, path: str, content: bytes | memoryview) -> None:
        """Make or replace a file."""
        view = memoryview(content).cast("B")
        pieces = (view[at : at + _PIECE_BYTES] for at in range(0, len(view), _PIECE_BYTES))
        self._upload(path, pieces)

    def write_file(self, path: str, local: Path) -> None:
        """Make or replace a file by a local one, of which only pieces are in memory."""
        if local.stat().st_size > _PIECE_BYTES:
            # Raises if the server is away: a stream that fails later stays in memory.
            self.exists(path)
        with local.open("rb") as source:
            self._upload(path, iter(lambda: source.read(_PIECE_BYTES), b""))
        local.unlink()

    def move(self, path: str, target: str) -> None:
        """Give a file another name in the store: the server copies it."""
        source, wanted = self._inside(path), self._inside(target)
        with self._reached(path):
            if not self.exists(path):  # file systems with folders name the target as missing
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            try:
                self.filesystem.copy_file(source, wanted)
            except FileNotFoundError:  # a file system with real folders
                self.filesystem.create_dir(wanted.rpartition("/")[0], recursive=True)
                self.filesystem.copy_file(source, wanted)
        self.delete(path)

    def create(self, path: str, content: bytes) -> bool:
        """Make a file, unless it is there; see :class:`modelkb_store.files.claim.Claims`.

        Who dies in between keeps others from making this file for ten minutes.
        """
        return self._claims.create("/".join(parts_of(path, self._uri)), content)

    def list(self, folder: str) -> list[FileInfo]:
        """Return the files in a folder and all below it."""
        inside = self._inside(folder)
        start = len(inside) + 1 if inside else 0
        found = self._found(folder, recursive=True)
        shown = [info for path, info in found if not _is_hidden(path[start:])]
        return sorted(shown, key=lambda info: info.path)

    def hidden(self, folder: str) -> Iterator[FileInfo]:
        """Yield the files right in a folder whose names begin with a dot."""
        for path, info in self._found(folder, recursive=False):
            if path.rpartition("/")[2].startswith("."):
                yield info

    def _found(self, folder: str, *, recursive: bool) -> Iterator[tuple[str, FileInfo]]:
        from pyarrow.fs import FileSelector, FileType

        selector = FileSelector(self._inside(folder), recursive=recursive, allow_not_found=True)
        with self._reached(folder):
            found = self.filesystem.get_file_info(selector)
        start = len(self.root) + 1 if self.root else 0
        for info in found:
            if info.type == FileType.File:
                modified = info.mtime or _UNKNOWN_TIME
                yield info.path, FileInfo(info.path[start:], info.size, modified)

    def exists(self, path: str) -> bool:
        """Return whether a file is there."""
        from pyarrow.fs import FileType

        with self._reached(path):
            found = self.filesystem.get_file_info(self._inside(path))
        return bool(found.type == FileType.File)

    def delete(self, path: str) -> None:
        """Delete a file."""
        with contextlib.suppress(FileNotFoundError), self._reached(path):
            self.filesystem.delete_file(self._inside(path))

    def local_path(self, path: str) -> None:
        """Return None: nothing lies on this machine."""
        parts_of(path, self._uri)

    def _inside(self, path: str) -> str:
        """Return a path of the store as one of the file system.

        Raises:
            PathOutsideStoreError: It would lead out of the store.
        """
        parts = parts_of(path, self._uri)
        return "/".join((self.root, *parts) if self.root else parts)

    def _upload(self, path: str, pieces: Iterable[bytes | memoryview]) -> None:
        with self._reached(path):
            stream = self._open_for_writing(self._inside(path))
        _unfinished.append(stream)
        for number, piece in enumerate(pieces):
            with self._reached(path):
                stream.write(piece)
                if number % _PIECES_IN_FLIGHT == _PIECES_IN_FLIGHT - 1:
                    # Uploads run in the background, and what waits for them is in memory.
                    stream.flush()
        try:
            with self._reached(path):
                stream.close()
        finally:
            # Also if it failed: what is closed sends nothing more.
            _unfinished.remove(stream)

    def _open_for_writing(self, full: str) -> pyarrow.NativeFile:
        # Nothing is compressed on the way because of how a name ends.
        try:
            return self.filesystem.open_output_stream(full, compression=None)
        except FileNotFoundError:  # a file system with real folders
            self.filesystem.create_dir(full.rpartition("/")[0], recursive=True)
            return self.filesystem.open_output_stream(full, compression=None)

    def _reached(self, path: str) -> AbstractContextManager[None]:
        return reached(self._uri, path)


def _is_hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path
