"""The files of content that a server has: architectures, packs of variables, kept files."""

from __future__ import annotations

import errno
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NoReturn

from modelkb_store.errors import NotOverServerError
from modelkb_store.files.files import FileInfo
from modelkb_store.files.object_reader import FETCHED_WHOLE_BYTES, ranges_reader
from modelkb_store.files.store_path import parts_of
from modelkb_store.server.connection import Answer, Connection, path_of
from modelkb_store.server.problems import unreachable

BYTES = "application/octet-stream"
_FOLDER = "objects"
_NO_SUCH_RANGE = 416


class ServerFiles:
    """See :class:`modelkb_store.files.files.Files`; all but files of content is refused.

    Args:
        connection: The server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return f"ServerFiles({self.uri!r})"

    @property
    def uri(self) -> str:
        """The server, without credentials."""
        return self._connection.uri

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        return self._ask("GET", path).content

    def open(self, path: str) -> BinaryIO:
        """Return a file open for reading at any position; a small one is in memory."""
        answer = self._range(path, 0, FETCHED_WHOLE_BYTES)
        size = self._size(answer)
        if size <= len(answer.content):
            return io.BytesIO(answer.content)
        return ranges_reader(size, lambda count, at: self._range(path, at, count).content)

    def exists(self, path: str) -> bool:
        """Return whether a file is there."""
        return self._connection.ask("HEAD", self._route(path), allowed=(404,)).status != 404

    def write_file(self, path: str, local: Path) -> None:
        """Send a file, which the server checks by its name; it is gone here afterwards."""
        self.send(path, local)
        local.unlink()

    def send(self, path: str, local: Path) -> None:
        """Send a file of content, which stays here, too."""
        with local.open("rb") as file:
            headers = {
                "Content-Type": BYTES,
                "Content-Length": str(os.fstat(file.fileno()).st_size),
            }
            self._connection.ask("PUT", self._route(path), file, headers=headers)

    def local_path(self, path: str) -> None:
        """Return None: nothing lies on this machine."""
        parts_of(path, self.uri)

    def write(self, path: str, content: bytes | memoryview) -> NoReturn:
        """Refuse: what is no file of content is the server's own."""
        raise NotOverServerError(self.uri, f"Writing {path}")

    def move(self, path: str, target: str) -> NoReturn:
        """Refuse."""
        raise NotOverServerError(self.uri, f"Renaming {path}")

    def create(self, path: str, content: bytes) -> NoReturn:
        """Refuse."""
        raise NotOverServerError(self.uri, f"Writing {path}")

    def delete(self, path: str) -> NoReturn:
        """Refuse."""
        raise NotOverServerError(self.uri, f"Deleting {path}")

    def list(self, folder: str) -> list[FileInfo]:
        """Refuse."""
        raise NotOverServerError(self.uri, "Working on the files of a store")

    def _range(self, path: str, start: int, count: int) -> Answer:
        answer = self._ask("GET", path, {"Range": f"bytes={start}-{start + count - 1}"})
        # What comes with a refusal says why, and is nothing of the file.
        return answer if answer.status != _NO_SUCH_RANGE else replace(answer, content=b"")

    def _size(self, answer: Answer) -> int:
        if answer.status == _NO_SUCH_RANGE:  # of a file that is empty
            return 0
        if answer.status != 206:
            return len(answer.content)
        size = answer.headers.get("Content-Range", "").rpartition("/")[2]
        if not size.isdigit():
            raise unreachable(self.uri, "its answer is not that of ModelKB")
        return int(size)

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        answer = self._connection.ask(
            method,
            self._route(path),
            accept=BYTES,
            headers=headers,
            allowed=(404, _NO_SUCH_RANGE),
        )
        if answer.status == 404:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return answer

    def _route(self, path: str) -> str:
        parts = parts_of(path, self.uri)
        if parts[:1] != (_FOLDER,) or len(parts) < 2:
            raise NotOverServerError(self.uri, f"Working on the file {path or '.'}")
        return path_of(*parts)
