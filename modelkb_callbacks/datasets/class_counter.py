"""How many samples each class has, where the labels say so."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from modelkb_callbacks.datasets.canonical_rows import Rows
from modelkb_callbacks.evaluation.loss import Loss, loss_of_output
from modelkb_callbacks.rows import Array

MAX_CLASSES = 1000

# What labels may be: class numbers in any type, class numbers in integers alone, or rows with
# a single one in the column of the class.
LabelForm = Literal["numbers", "integers", "columns"]

_FORMS: dict[str | None, tuple[LabelForm, ...]] = {
    "sparse": ("numbers",),
    "binary": ("numbers", "columns"),
    "categorical": ("columns",),
    None: ("integers", "columns"),
}


class ClassCounter:
    """Counts samples per class; labels that are something else are not counted at all.

    Args:
        forms: What the labels may be; nothing is counted without any.
    """

    def __init__(self, forms: tuple[LabelForm, ...]) -> None:
        self._forms = forms
        self._columns: int | None = None  # of the labels; 0 for class numbers
        self._counts = np.zeros(MAX_CLASSES, dtype=np.int64)
        self._seen = False

    def add(self, labels: Rows) -> None:
        """Count the labels of a batch."""
        if not self._forms or not labels.values.size:
            return
        classes = self._classes(labels)
        if classes is None:
            self._forms = ()
            return
        self._seen = True
        self._counts += np.bincount(classes, minlength=MAX_CLASSES)

    def counts(self, at_least: int = 0) -> tuple[int, ...] | None:
        """Return the samples of each class, in the order of their numbers.

        Args:
            at_least: The number of classes, if it is known: those at the end may have none.
        """
        if not self._forms or not self._seen:
            return None
        last = int(np.flatnonzero(self._counts)[-1]) + 1
        length = max(last, self._columns or 0, at_least)
        return tuple(int(count) for count in self._counts[:length])

    def _classes(self, labels: Rows) -> Array | None:
        values = labels.values
        columns = values.shape[1] if values.ndim == 2 else 0
        known = self._columns in (None, columns)
        if labels.kind == "text" or values.ndim > 2 or not known or columns > MAX_CLASSES:
            return None
        self._columns = columns
        if columns:
            return _from_columns(values) if "columns" in self._forms else None
        whole = "integers" if labels.kind == "integer" else "numbers"
        if whole not in self._forms and "numbers" not in self._forms:
            return None
        return _from_numbers(values)


def label_forms(model: Any) -> tuple[LabelForm, ...]:
    """Return what the labels of a model with one output may be, as its loss says.

    Args:
        model: The compiled model, or None if it is not known.
    """
    if model is None:
        return _FORMS[None]
    names = getattr(model, "output_names", None) or ["output"]
    loss: Loss | None = loss_of_output(model, names[0], 0)
    return () if loss is None else _FORMS.get(loss.family, ())


def _from_columns(values: Array) -> Array | None:
    ones: Array = values == 1
    if not (ones.sum(axis=1) == 1).all() or not (ones | (values == 0)).all():
        return None
    classes: Array = ones.argmax(axis=1)
    return classes


def _from_numbers(values: Array) -> Array | None:
    # A negated test, so that NaN fails it.
    if not (values.min() >= 0 and values.max() < MAX_CLASSES):
        return None
    numbers: Array = values.astype(np.int64)
    return numbers if values.dtype.kind in "biu" or bool((numbers == values).all()) else None
