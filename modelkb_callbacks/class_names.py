"""Class names, where the data knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelkb_callbacks.fit_call import FitCall

_MAX_STEPS = 100


def find_class_names(call: FitCall) -> tuple[str, ...] | None:
    """Return the class names of the data arguments, or None.

    ``image_dataset_from_directory`` and its siblings hang them on the dataset; later
    transformations (``map``, ``prefetch``) keep the one before, so it is looked up there.
    """
    x, y = call.training_data()
    for data in (x, call.validation_data()[0]):
        for step in _and_sources(data):
            names = getattr(step, "class_names", None)
            if isinstance(names, (list, tuple)) and names:
                return tuple(str(name) for name in names)
    categories = getattr(getattr(y, "cat", None), "categories", None)  # a pandas categorical
    return None if categories is None else tuple(str(name) for name in categories)


def _and_sources(data: Any) -> Iterator[Any]:
    for _ in range(_MAX_STEPS):
        if data is None:
            return
        yield data
        data = getattr(data, "_input_dataset", None)
