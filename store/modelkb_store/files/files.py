"""What a place that holds a store can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, order=True)
class FileInfo:
    """A file of a store.

    Attributes:
        path: From the store's folder, with ``/``.
        size_bytes: Its size.
        modified: When it was written last, in UTC.
    """

    path: str
    size_bytes: int
    modified: datetime

    @property
    def folder(self) -> str:
        """The name of the folder that it lies in, of a table's files the project's."""
        return self.path.rpartition("/")[0].rpartition("/")[2]


class Files(Protocol):
    """The files of one store. Paths are from its folder, with ``/``, and never leave it."""

    @property
    def uri(self) -> str:
        """The place, for people; without credentials."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            FileNotFoundError: It is not there.
        """
        ...

    def open(self, path: str) -> BinaryIO:
        """Return a file open for reading at any position; close it.

        Raises:
            FileNotFoundError: It is not there.
        """
        ...

    def write(self, path: str, content: bytes | memoryview) -> None:
        """Make or replace a file, whole or not at all, safe from a power failure."""
        ...

    def write_file(self, path: str, local: Path) -> None:
        """Make or replace a file by a local one, which is gone afterwards."""
        ...

    def move(self, path: str, target: str) -> None:
        """Give a file another name in the store, over an older file of that name.

        Raises:
            FileNotFoundError: It is not there.
        """
        ...

    def create(self, path: str, content: bytes) -> bool:
        """Make a file, unless it is there: of any number of callers one is told True."""
        ...

    def list(self, folder: str) -> list[FileInfo]:
        """Return the files in a folder and all below it, by path.

        Names that begin with a dot are passed over; a missing folder has none.
        """
        ...

    def exists(self, path: str) -> bool:
        """Return whether a file is there."""
        ...

    def delete(self, path: str) -> None:
        """Delete a file; it need not be there."""
        ...

    def local_path(self, path: str) -> Path | None:
        """Return where a file, there or not, lies on this machine; None if it does not."""
        ...
