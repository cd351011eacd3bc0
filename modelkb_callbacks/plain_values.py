"""Values as JSON has them, of bounded size."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from modelkb_store.shortest_float import shortest_float

_LONGEST_TEXT = 10_000  # characters
_MOST_ITEMS = 2_000  # in all, however they are nested
_DEEPEST = 20
# Of these neither items nor shapes are anybody's own code; Keras and TensorFlow replace the
# lists and dictionaries that a model is given by such of their own.
_WALKED = ("builtins", "collections", "keras", "tensorflow")
_ARRAYS = ("tensorflow", "jax", "jaxlib", "torch", "keras", "pandas", "scipy")


def plain(value: Any, *, of_user: bool = False, most_items: int = _MOST_ITEMS) -> Any:
    """Return a value as JSON has it; what JSON has no word for becomes a text.

    Of what is too large the beginning is kept, and how much more there was. Large arrays
    become their shape and dtype.

    Args:
        value: Anything.
        of_user: Whether the user gave it to ModelKB, so that it may be asked for its text
            and its items; of anything else no code is run, and the text is a class's name.
        most_items: How many items are kept in all.

    Example:
        >>> plain({"rate": np.float32(0.1), "shape": (3, 4), "limit": math.inf})
        {'rate': 0.1, 'shape': [3, 4], 'limit': 'inf'}
    """
    return _Converter(of_user, most_items).convert(value, 0)


def name_of(item: Any) -> str:
    """Return the name of a function or class, else the name of the item's class."""
    while isinstance(item, functools.partial):
        item = item.func
    if isinstance(item, type) or inspect.isroutine(item):
        return str(item.__qualname__).rpartition("<locals>.")[2]
    return type(item).__name__


class _Converter:
    """Converts one value."""

    def __init__(self, of_user: bool, most_items: int) -> None:
        self._of_user = of_user
        self._most_items = most_items
        self._room = most_items

    def convert(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (bool, int, str, float)):
            return _scalar(value)
        if isinstance(value, np.generic):
            short = isinstance(value, np.float32)
            return _scalar(shortest_float(float(value)) if short else value.item())
        if isinstance(value, np.ndarray):
            return self._array(value, depth)
        return "..." if depth > _DEEPEST else self._nested(value, depth)

    def _nested(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping) and self._may_walk(value):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)) and self._may_walk(value):
            return self._sequence(value, len(value), depth)
        return self._text(value)

    def _may_walk(self, value: Any) -> bool:
        return self._of_user or may_walk(value)

    def _array(self, value: np.ndarray[Any, Any], depth: int) -> Any:
        if value.size <= self._room:
            return self.convert(value.tolist(), depth)
        return {"shape": list(value.shape), "dtype": str(value.dtype)}

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found = {}
        for number, (key, item) in enumerate(value.items()):
            if self._room <= 0:
                found["..."] = f"{len(value) - number:,} more"
                break
            self._room -= 1
            found[_key(key)] = self.convert(item, depth + 1)
        return found

    def _sequence(self, value: Iterable[Any], length: int, depth: int) -> list[Any]:
        found = []
        for number, item in enumerate(value):
            if self._room <= 0:
                found.append(f"... {length - number:,} more")
                break
            self._room -= 1
            found.append(self.convert(item, depth + 1))
        return found

    def _text(self, value: Any) -> Any:
        if self._of_user:
            return _scalar(str(value))
        shape = getattr(value, "shape", None) if _package(value) in _ARRAYS else None
        if shape is None:
            return name_of(value)
        return {"shape": [_scalar(size) for size in shape], "dtype": _dtype_of(value)}


def may_walk(value: Any) -> bool:
    """Return whether the items of a list or dictionary are read without code of anybody's own."""
    return _package(value) in _WALKED


def _package(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _dtype_of(array: Any) -> str | None:
    dtype = getattr(array, "dtype", None)
    return None if dtype is None else str(getattr(dtype, "name", dtype))


def _key(key: Any) -> str:
    return str(key.item() if isinstance(key, np.generic) else key)[:_LONGEST_TEXT]


def _scalar(value: Any) -> Any:
    """Return a number or text that JSON has; subclasses, such as enumerations, as their base."""
    if isinstance(value, str):
        text = str.__str__(value)
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else str(value)
