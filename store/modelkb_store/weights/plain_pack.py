"""Looking whether a pack that somebody has sent is only what packs are, before it is read.

HDF5 follows links into other files, runs any filter that a file names, and inflates a chunk as far
as its stream goes, whatever the file says of its size.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

# No stream of gzip makes more of a byte, and values that were never written take none.
_MOST_PER_BYTE = 2048
_SMALL_BYTES = 1 << 20
# A variable is read at once. One of zeros is small in a file; all are not.
_VARIABLE_PER_BYTE = 32
_VARIABLE_BYTES = 512 << 20
# Those of ours have 256 KiB.
_LARGEST_CHUNK_BYTES = 16 << 20
_MOST_TEXTS_AT_ONCE = 4096


def check_that_it_is_plain(file: Any, size: int) -> None:
    """Pass if a pack leads to no other file, and does not fill the memory.

    Args:
        file: The open ``h5py.File``.
        size: Its bytes.

    Raises:
        ValueError: It does; says with what.
    """
    import h5py

    total = 0
    for name in file:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise ValueError("it has links to other places")
        item = file[name]
        if not isinstance(item, h5py.Dataset):
            raise ValueError("it has more than variables")
        if item.is_virtual or item.external:
            raise ValueError("it has values in other files")
        if any(item.attrs.get_id(each).shape != () for each in item.attrs):
            raise ValueError("its attributes are no single values")
        most = _VARIABLE_BYTES + _VARIABLE_PER_BYTE * size
        of_one = _bytes_of(item)
        total += of_one
        if of_one > most or total > _SMALL_BYTES + _MOST_PER_BYTE * size:
            raise ValueError(f"its {size} bytes would become {total}")
        if item.chunks is not None:
            _check_chunks(item)
        if item.dtype.hasobject:
            _check_texts(item, size, most)


def _bytes_of(item: Any) -> int:
    """Return what values take in memory, with what chunks have beyond the array's end."""
    extents = item.shape or ()
    if item.chunks is not None:
        extents = [math.ceil(n / each) * each for n, each in zip(extents, item.chunks, strict=True)]
    return math.prod(extents) * int(item.dtype.itemsize)


def _check_chunks(item: Any) -> None:
    import h5py

    settings = item.id.get_create_plist()
    filters = [settings.get_filter(place)[0] for place in range(settings.get_nfilters())]
    known = (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE)
    if filters not in ([], [known[0]], [known[1]], list(known)):
        raise ValueError("it has other filters than shuffle and gzip")
    chunk_bytes = math.prod(item.chunks) * item.dtype.itemsize
    if chunk_bytes > _LARGEST_CHUNK_BYTES:
        raise ValueError(f"it has chunks of {chunk_bytes} bytes")
    if not filters:
        return

    def check(stored: Any) -> None:
        mask, content = item.id.read_direct_chunk(stored.chunk_offset)
        is_deflated = known[1] in filters and not mask & (1 << filters.index(known[1]))
        if is_deflated:
            content = zlib.decompressobj().decompress(content, chunk_bytes + 1)
        if len(content) != chunk_bytes:
            raise ValueError(f"a chunk of {chunk_bytes} bytes has another length")

    chunks: list[Any] = []
    item.id.chunk_iter(chunks.append)  # what is raised in it would be lost
    for each in chunks:
        try:
            check(each)
        except zlib.error as error:
            raise ValueError(f"a chunk cannot be read: {error}") from error


def _check_texts(item: Any, size: int, most: int) -> None:
    """Pass if texts are not longer together than they may be: many can be the same in the file."""
    if not item.shape:
        return
    if len(item.shape) > 1:
        raise ValueError("it has texts in more than one row")
    step = min(_MOST_TEXTS_AT_ONCE, max(1, most // max(1, size)))
    total = 0
    for start in range(0, item.shape[0], step):
        total += sum(map(len, item[start : start + step]))
        if total > most:
            raise ValueError(f"its texts take more than {most} bytes")
