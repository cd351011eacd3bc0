"""Reading an object at any position."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from modelkb_store.files.object_errors import reached

if TYPE_CHECKING:
    import pyarrow

# About what a server sends in the time that it takes to answer at all.
FETCHED_WHOLE_BYTES = 4 * 2**20
_READ_AHEAD_BYTES = 2**20

# Returns so many bytes from a position on.
ReadAt = Callable[[int, int], bytes]


def reader_of(file: pyarrow.NativeFile, uri: str, path: str) -> BinaryIO:
    """Return an open object as a file for pyarrow, h5py and others.

    A small one is fetched at once: Parquet and HDF5 begin with many small reads, each of which
    would be a request. A large one is read ahead by a mebibyte.

    Args:
        file: The object; closed with what is returned.
        uri: The store, for messages.
        path: The object's path in the store.
    """
    size = file.size()
    if size <= FETCHED_WHOLE_BYTES:
        with reached(uri, path), file:
            return io.BytesIO(file.read())

    def read_at(count: int, position: int) -> bytes:
        with reached(uri, path):
            return cast(bytes, file.read_at(count, position))

    return ranges_reader(size, read_at, file.close)


def ranges_reader(
    size: int, read_at: ReadAt, close: Callable[[], object] | None = None
) -> BinaryIO:
    """Return a file of which parts are fetched as they are read, a mebibyte ahead.

    Args:
        size: How long it is.
        read_at: Fetches a part: how many bytes, from which position on.
        close: Called when the file is closed.
    """
    return io.BufferedReader(_RangesReader(size, read_at, close), _READ_AHEAD_BYTES)


class _RangesReader(io.RawIOBase):
    def __init__(self, size: int, read_at: ReadAt, close: Callable[[], object] | None) -> None:
        super().__init__()
        self._size = size
        self._position = 0
        self._read_at = read_at
        self._close = close

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"negative seek position {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        content = self._read_at(wanted, self._position)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        if not self.closed and self._close is not None:
            self._close()
        super().close()
