"""What samples show as they pass by, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelkb_callbacks.datasets.canonical_rows import Rows, canonical_rows
from modelkb_callbacks.datasets.class_counter import ClassCounter, LabelForm
from modelkb_callbacks.datasets.fingerprint import Fingerprint

Number = int | float


@dataclass(slots=True)
class LeafProfile:
    """One input or target.

    Attributes:
        shape: Without the batch axis; None for an extent that differs between batches.
        dtype: The values' type, as it was seen first.
        low: The smallest number; None without numbers.
        high: The largest.
    """

    shape: list[int | None]
    dtype: str
    low: Number | None = None
    high: Number | None = None

    def add(self, leaf: Any, rows: Rows) -> None:
        """Take a batch into account."""
        extents = [int(extent) for extent in leaf.shape[1:]]
        if len(extents) == len(self.shape):
            self.shape = [
                mine if mine == extent else None
                for mine, extent in zip(self.shape, extents, strict=True)
            ]
        if rows.kind == "text" or not rows.values.size:
            return
        low, high = np.fmin.reduce(rows.values, axis=None), np.fmax.reduce(rows.values, axis=None)
        if np.isnan(low):  # there was no number
            return
        self.low = low.item() if self.low is None else min(self.low, low.item())
        self.high = high.item() if self.high is None else max(self.high, high.item())


class DataProfile:
    """Fingerprint, value ranges and class counts of samples, batch by batch.

    Args:
        forms: What labels may be if there is one for each sample.

    Attributes:
        fingerprint: Of all samples.
        inputs: The inputs' leaves, once a batch was seen.
        targets: The labels' leaves.
        batch_count: Batches seen.
    """

    def __init__(self, forms: tuple[LabelForm, ...]) -> None:
        self._forms = forms
        self._classes = ClassCounter(forms)
        self.fingerprint = Fingerprint()
        self.inputs: list[LeafProfile] = []
        self.targets: list[LeafProfile] = []
        self.batch_count = 0

    def add(self, x: Sequence[Any], y: Sequence[Any]) -> None:
        """Take a batch into account.

        Args:
            x: Leaves of the inputs, tensors or arrays.
            y: Leaves of the labels; none without labels.

        Raises:
            TypeError: The values have no canonical form.
            ValueError: The leaves do not go together.
        """
        x_rows, y_rows = ([canonical_rows(leaf) for leaf in part] for part in (x, y))
        self.fingerprint.add(x_rows, y_rows)
        _add_to(self.inputs, x, x_rows)
        self._add_targets(y, y_rows)
        self.batch_count += 1

    def recount_targets(self, y: Sequence[Any]) -> None:
        """Take labels, ranges and class counts, from here instead, and from nothing before."""
        self._classes = ClassCounter(self._forms)
        self.targets = []
        self._add_targets(y, [canonical_rows(leaf) for leaf in y])

    def class_counts(self, at_least: int = 0) -> tuple[int, ...] | None:
        """Return the samples per class; see :meth:`ClassCounter.counts`."""
        return self._classes.counts(at_least) if len(self.targets) == 1 else None

    def _add_targets(self, y: Sequence[Any], rows: Sequence[Rows]) -> None:
        _add_to(self.targets, y, rows)
        if len(rows) == 1:
            self._classes.add(rows[0])


def _add_to(profiles: list[LeafProfile], leaves: Sequence[Any], rows: Sequence[Rows]) -> None:
    if not profiles:
        profiles.extend(
            LeafProfile([int(extent) for extent in leaf.shape[1:]], dtype_name(leaf) or "")
            for leaf in leaves
        )
    for profile, leaf, values in zip(profiles, leaves, rows, strict=True):
        profile.add(leaf, values)


def dtype_name(leaf: Any) -> str | None:
    """Return the name of a leaf's type: of an array, a tensor, its spec or a data frame."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is None and hasattr(leaf, "dtypes"):  # a data frame has one for each column
        return ", ".join(sorted({str(kind) for kind in leaf.dtypes}))
    return None if dtype is None else str(getattr(dtype, "name", dtype)).removeprefix("torch.")
