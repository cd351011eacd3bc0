"""A fingerprint of samples that is the same in whatever order and container they come.

Each sample is hashed alone and the hashes are added up, so that samples can come in any order
and in batches of any size, and nothing has to be kept. FORMAT.md says what is hashed, so that
anyone can compute it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from modelkb_callbacks.datasets.canonical_rows import Rows
from modelkb_callbacks.rows import Array

_VERSION = b"modelkb-fingerprint-1"
_HASHED_TOGETHER_BYTES = 1 << 20  # copied side by side before they are hashed
_MODULUS = 1 << 128
_SEPARATOR = b"|"  # between inputs and labels


class Fingerprint:
    """Samples seen so far, as one number.

    Attributes:
        sample_count: How many.

    Example:
        >>> fingerprint = Fingerprint()
        >>> fingerprint.add([canonical_rows(np.array([[0.5, 1]]))], [canonical_rows(np.array([1]))])
        >>> fingerprint.text()
        '0c1c363307cad72a484f33469b7ddb0b'
    """

    def __init__(self) -> None:
        self._sum = 0
        self.sample_count = 0

    def add(self, x: Sequence[Rows], y: Sequence[Rows]) -> None:
        """Add samples.

        Args:
            x: The inputs' leaves, in the order of ``keras.tree``.
            y: The labels' leaves, likewise; empty without labels.

        Raises:
            ValueError: Leaves differ in their number of samples.
        """
        counts = {len(rows.values) for rows in (*x, *y)}
        if len(counts) != 1:
            raise ValueError(f"leaves of {sorted(counts)} samples in one batch")
        count = counts.pop()
        texts = any(rows.kind == "text" for rows in (*x, *y))
        messages = _messages_one_by_one if texts else _messages_of_numbers
        digests = [hashlib.sha256(message).digest() for message in messages(x, y, count)]
        self._sum = (self._sum + _sum_of(digests)) % _MODULUS
        self.sample_count += count

    def text(self) -> str:
        """Return the fingerprint of all that was added, 32 hexadecimal digits."""
        content = self.sample_count.to_bytes(8, "little") + self._sum.to_bytes(16, "little")
        return hashlib.sha256(_VERSION + content).hexdigest()[:32]


def _sum_of(digests: list[bytes]) -> int:
    """Return the sum of the first 16 bytes of each, as little-endian numbers."""
    words = np.frombuffer(b"".join(digests), dtype="<u4").reshape(-1, 8)[:, :4]
    return sum(int(total) << (32 * i) for i, total in enumerate(words.sum(0, dtype=np.uint64)))


def _messages_of_numbers(
    x: Sequence[Rows], y: Sequence[Rows], count: int
) -> Iterator[memoryview[int]]:
    """Yield what is hashed of each sample, from blocks in which the samples lie side by side."""
    for rows, narrow in _alike([*x, *y], count):
        # Per leaf: what comes before its values, and the values as bytes.
        parts = [
            (_head(leaf, small), _as_bytes(leaf, rows, small))
            for leaf, small in zip((*x, *y), narrow, strict=True)
        ]
        parts.insert(len(x), (_SEPARATOR, np.empty((len(rows), 0), dtype=np.uint8)))
        width = sum(len(head) + body.shape[1] for head, body in parts)
        together = max(1, _HASHED_TOGETHER_BYTES // width)
        for start in range(0, len(rows), together):
            stop = min(start + together, len(rows))
            block = _side_by_side(parts, start, stop, width).data
            for offset in range(0, (stop - start) * width, width):
                yield block[offset : offset + width]


def _side_by_side(parts: list[tuple[bytes, Array]], start: int, stop: int, width: int) -> Array:
    block = np.empty((stop - start, width), dtype=np.uint8)
    column = 0
    for head, body in parts:
        block[:, column : column + len(head)] = np.frombuffer(head, dtype=np.uint8)
        column += len(head)
        block[:, column : column + body.shape[1]] = body[start:stop]
        column += body.shape[1]
    return block.reshape(-1)


def _alike(leaves: Sequence[Rows], count: int) -> Iterator[tuple[Array, list[bool]]]:
    """Yield the samples by which of their leaves fit into one byte a value."""
    flags = [_fits_bytes(leaf, count) for leaf in leaves]
    if all(isinstance(flag, bool) for flag in flags):
        yield np.arange(count), [bool(flag) for flag in flags]
        return
    table = np.stack([np.broadcast_to(flag, count) for flag in flags], axis=1)
    patterns, which = np.unique(table, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        yield np.flatnonzero(which.reshape(-1) == index), [bool(flag) for flag in pattern]


def _fits_bytes(leaf: Rows, count: int) -> bool | Array:
    """Return whether all integers of a sample are in 0..255: one answer if it is for all."""
    values = leaf.values
    if leaf.kind != "integer":
        return False
    if values.dtype in (np.bool_, np.uint8) or values.size == 0:
        return True
    if values.min() >= 0 and values.max() <= 255:
        return True
    fits = (values >= 0) & (values <= 255)
    return np.asarray(fits.reshape(count, -1).all(axis=1))


def _head(leaf: Rows, narrow: bool) -> bytes:
    kind = {"float": b"f", "integer": b"b" if narrow else b"i", "text": b"s"}[leaf.kind]
    extents = leaf.values.shape[1:]
    return kind + bytes([len(extents)]) + b"".join(n.to_bytes(8, "little") for n in extents)


def _as_bytes(leaf: Rows, rows: Array, narrow: bool) -> Array:
    """Return the values of some samples: an axis of samples and one of bytes."""
    values = leaf.values if len(rows) == len(leaf.values) else leaf.values[rows]
    dtype = "<f4" if leaf.kind == "float" else ("u1" if narrow else "<i8")
    flat = values.reshape(len(rows), -1) if values.size else values.reshape(len(rows), 0)
    return np.ascontiguousarray(flat.astype(dtype, copy=False)).view(np.uint8)


def _messages_one_by_one(x: Sequence[Rows], y: Sequence[Rows], count: int) -> Iterator[bytes]:
    """Yield what is hashed of each sample where texts make them of different lengths."""
    columns = [_column(leaf, count) for leaf in (*x, *y)]
    columns.insert(len(x), [_SEPARATOR] * count)
    return map(b"".join, zip(*columns, strict=True))


def _column(leaf: Rows, count: int) -> list[bytes]:
    """Return what is hashed of one leaf, sample by sample."""
    if leaf.kind == "text":
        head = _head(leaf, False)
        each = leaf.values.reshape(count, -1).tolist() if leaf.values.size else [[]] * count
        return [
            b"".join([head, *(len(text).to_bytes(8, "little") + text for text in texts)])
            for texts in each
        ]
    flags = np.broadcast_to(_fits_bytes(leaf, count), count)
    column = [b""] * count
    for narrow in (False, True):
        rows = np.flatnonzero(flags == narrow)
        head = _head(leaf, narrow)
        for row, body in zip(rows.tolist(), _as_bytes(leaf, rows, narrow), strict=True):
            column[row] = head + body.tobytes()
    return column
