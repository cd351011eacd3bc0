"""A bounded sample of the data, to be predicted when the training is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.rows import row_count, take_rows, to_numpy

_MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class Sample:
    """Samples with their labels.

    Attributes:
        x: Inputs, NumPy arrays in the structure that the model takes.
        y: Labels, likewise.
        count: The number of samples.
        complete: Whether these are all samples of their split.
    """

    x: Any
    y: Any
    count: int
    complete: bool


def sample_arrays(x: Any, y: Any, start: int, stop: int, limit: int) -> Sample:
    """Return at most ``limit`` of the rows from ``start`` to ``stop``, evenly spread."""
    total = stop - start
    count = min(total, limit)
    indices = start + np.linspace(0, total - 1, count).astype(np.int64)
    pick = lambda array: take_rows(array, indices)  # noqa: E731
    return Sample(
        x=keras.tree.map_structure(pick, x),
        y=keras.tree.map_structure(pick, y),
        count=count,
        complete=count == total,
    )


class BatchSample:
    """Keeps batches as they pass by, up to a number of samples and of bytes.

    Args:
        limit: The most samples to keep.

    Attributes:
        is_full: Whether the sample takes no more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._batches: list[tuple[list[Any], list[Any]]] = []
        self._count = 0
        self._bytes = 0
        self.is_full = False
        self._cut_off = False

    def add(self, x: list[Any], y: list[Any]) -> None:
        """Keep a batch, or its first rows where not all fit in."""
        room = self._limit - self._count
        if self.is_full or room <= 0:
            self.is_full = self._cut_off = True
            return
        inputs, labels = ([to_numpy(leaf)[:room] for leaf in part] for part in (x, y))
        self._cut_off = self._cut_off or row_count(x[0]) > room
        self._batches.append((inputs, labels))
        self._count += len(inputs[0])
        self._bytes += sum(leaf.nbytes for leaf in inputs + labels)
        self.is_full = self._bytes >= _MAX_BYTES

    def close(self) -> None:
        """Take no more: one pass is over."""
        self.is_full = True

    def sample(self, template: tuple[Any, Any]) -> Sample | None:
        """Return what was kept, in the structure of ``template``; None if it is nothing."""
        if not self._batches or not self._batches[0][1]:
            return None
        parts = []
        for structure, index in zip(template, (0, 1), strict=True):
            leaves = zip(*(batch[index] for batch in self._batches), strict=True)
            joined = [np.concatenate(pieces) for pieces in leaves]
            parts.append(keras.tree.pack_sequence_as(structure, joined))
        return Sample(x=parts[0], y=parts[1], count=self._count, complete=not self._cut_off)
