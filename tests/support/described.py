"""What the record of some arrays ought to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelkb_callbacks.datasets.class_counter import label_forms
from modelkb_callbacks.datasets.dataset_record import record_of_arrays
from modelkb_store.records import DatasetRecord


def described(
    x: Any, y: Any, class_names: Sequence[str] | None = None, *, model: Any = None
) -> DatasetRecord:
    """Return the description of whole arrays."""
    record, problem = record_of_arrays(x, y, range(len(x)), class_names, label_forms(model))
    assert problem is None
    return record
