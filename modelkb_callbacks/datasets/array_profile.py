"""What arrays show: all of them if they are small, else rows spread evenly over them.

A training waits for it, so the work is bounded: by default to about 50 ms on one core of 2020
(make bench). Row by row costs as much as :data:`_ROW_COST` bytes, hence one bound for many
small rows and for few large ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.datasets.canonical_rows import Rows, canonical_rows
from modelkb_callbacks.datasets.class_counter import LabelForm
from modelkb_callbacks.datasets.data_profile import DataProfile
from modelkb_callbacks.rows import Array, take_rows, to_numpy

WORK_BYTES = 40 << 20
_ROW_COST = 1024
_TEXT_COST = 512
_LABELS_BYTES = 16 << 20
_CHUNK_BYTES = 2 << 20
_ROWS_TO_JUDGE = 64


def profile_arrays(
    x: Any, y: Any, rows: range, forms: tuple[LabelForm, ...]
) -> tuple[DataProfile, str]:
    """Return the profile of some rows of arrays, and whether it is of all of them.

    Value ranges and class counts of labels are of all rows also where the rest is not, as
    long as these take no more than 16 MiB.

    Args:
        x: Inputs, any structure of arrays.
        y: Labels, likewise, or None.
        rows: The rows that are meant.
        forms: What labels may be.

    Returns:
        The profile, and ``all`` or ``rows``.

    Raises:
        TypeError: The values have no canonical form.
    """
    if not rows:
        return DataProfile(forms), "all"
    inputs, labels = _leaves(x), _leaves(y)
    size = _row_bytes([*inputs, *labels], rows)
    affordable = max(1, WORK_BYTES // (size + _ROW_COST))
    profile = DataProfile(forms)
    indices = rows.start + np.linspace(0, len(rows) - 1, min(len(rows), affordable))
    for part in _parts(indices.astype(np.int64), size):
        profile.add([_take(leaf, part) for leaf in inputs], [_take(leaf, part) for leaf in labels])
    if len(indices) == len(rows):
        return profile, "all"
    if labels and _row_bytes(labels, rows) * len(rows) <= _LABELS_BYTES:
        every = np.arange(rows.start, rows.stop)
        profile.recount_targets([_take(leaf, every) for leaf in labels])
    return profile, "rows"


def _leaves(structure: Any) -> list[Any]:
    """Return the leaves in a form that is read row by row at no more than the rows' cost."""
    leaves = [leaf for leaf in keras.tree.flatten(structure) if leaf is not None]
    return [_readable(leaf) for leaf in leaves]


def _readable(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) or hasattr(leaf, "iloc"):
        return leaf
    if hasattr(leaf, "tocsr"):
        return leaf.tocsr()
    # A tensor of a backend is converted once, not for each part; on a CPU that copies nothing.
    is_tensor = type(leaf).__module__.partition(".")[0] in ("tensorflow", "jaxlib", "jax", "torch")
    return to_numpy(leaf) if is_tensor else leaf


def _take(leaf: Any, indices: Array) -> Array:
    start, stop = int(indices[0]), int(indices[-1]) + 1
    if isinstance(leaf, np.ndarray) and stop - start == len(indices):
        return leaf[start:stop]  # a view
    return take_rows(leaf, indices)


def _row_bytes(leaves: list[Any], rows: range) -> int:
    """Return how large a row is, as some of them show."""
    spread = rows.start + np.linspace(0, len(rows) - 1, min(len(rows), _ROWS_TO_JUDGE))
    indices = spread.astype(np.int64)
    total = sum(_canonical_bytes(canonical_rows(_take(leaf, indices))) for leaf in leaves)
    return -(-total // len(indices))


def _canonical_bytes(rows: Rows) -> int:
    """Return how large values are when they are hashed, whatever type they came in."""
    values = rows.values
    if rows.kind == "text":
        return sum(len(text) + _TEXT_COST for text in values.ravel().tolist())
    narrow = rows.kind == "integer" and values.size and values.min() >= 0 and values.max() <= 255
    return int(values.size) * (4 if rows.kind == "float" else 1 if narrow else 8)


def _parts(indices: Array, row_bytes: int) -> Iterator[Array]:
    together = max(1, _CHUNK_BYTES // (row_bytes + 1))
    for start in range(0, len(indices), together):
        yield indices[start : start + together]
