"""A bounded sample of the data, to be predicted when the training is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import keras
import numpy as np

from modelkb_callbacks.rows import row_count, take_rows, to_numpy

_MAX_BYTES = 256 << 20
_CHUNK_BYTES = 1 << 20
_MAX_CHUNK_ROWS = 1024


class Sample(Protocol):
    """Samples with their labels, in parts of which each is spread over the whole.

    Attributes:
        complete: Whether all parts together are the whole split.
    """

    complete: bool

    def parts(self) -> Iterator[tuple[Any, Any]]:
        """Yield inputs and labels, NumPy arrays in the structure that the model takes."""
        ...


class ArraySample:
    """Rows of arrays, copied part by part.

    Args:
        x: Inputs, any structure of arrays.
        y: Labels, likewise.
        rows: The rows to take from.
        limit: The most rows to take.
        batch_size: What the model was trained with, and so surely fits in memory.
        output_bytes: How large the model's outputs for a row are.
    """

    def __init__(
        self, x: Any, y: Any, rows: range, *, limit: int, batch_size: int, output_bytes: int
    ) -> None:
        self._x, self._y = x, y
        row_bytes = _row_bytes((x, y), rows.start) + output_bytes + 1
        count = min(len(rows), limit)
        self._indices = rows.start + np.linspace(0, len(rows) - 1, count).astype(np.int64)
        together = max(batch_size, min(_MAX_CHUNK_ROWS, _CHUNK_BYTES // row_bytes))
        self._part_count = -(-count // together)
        self.complete = count == len(rows)

    def parts(self) -> Iterator[tuple[Any, Any]]:
        """See :class:`Sample`."""
        for first in range(self._part_count):
            rows = self._indices[first :: self._part_count]
            x, y = (
                keras.tree.map_structure(lambda leaf, rows=rows: take_rows(leaf, rows), part)
                for part in (self._x, self._y)
            )
            yield x, y


class BatchSample:
    """Keeps batches as they pass by, up to a number of samples and of bytes.

    Args:
        limit: The most samples to keep.

    Attributes:
        is_full: Whether the sample takes no more.
        template: The structure of (x, y), to be set before batches are read back.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._batches: list[tuple[list[Any], list[Any]]] = []
        self._count = 0
        self._bytes = 0
        self.is_full = False
        self.complete = True
        self.template: tuple[Any, Any] | None = None

    def add(self, x: list[Any], y: list[Any]) -> None:
        """Keep a batch, or its first rows where not all fit in."""
        room = self._limit - self._count
        if self.is_full or room <= 0:
            self.is_full, self.complete = True, False
            return
        inputs, labels = ([to_numpy(leaf)[:room] for leaf in part] for part in (x, y))
        self.complete = self.complete and row_count(x[0]) <= room
        self._batches.append((inputs, labels))
        self._count += len(inputs[0])
        self._bytes += sum(leaf.nbytes for leaf in inputs + labels)
        if self._bytes >= _MAX_BYTES:
            self.is_full, self.complete = True, False

    def close(self) -> None:
        """Take no more: one pass is over."""
        self.is_full = True

    def has_labels(self) -> bool:
        """Return whether anything was kept that has labels."""
        return bool(self._batches and self._batches[0][1]) and self.template is not None

    def parts(self) -> Iterator[tuple[Any, Any]]:
        """See :class:`Sample`."""
        if self.template is None:
            return
        x, y = self.template
        for inputs, labels in self._batches:
            yield keras.tree.pack_sequence_as(x, inputs), keras.tree.pack_sequence_as(y, labels)


def _row_bytes(structure: Any, row: int) -> int:
    leaves = [leaf for leaf in keras.tree.flatten(structure) if leaf is not None]
    return sum(take_rows(leaf, np.array([row])).nbytes for leaf in leaves)
