"""What objects were made with, as far as they remember it; nothing of theirs is called."""

from __future__ import annotations

import inspect
from typing import Any

from modelkb_callbacks.plain_values import plain

_ABSENT = object()
_MOST_ITEMS = 100  # a setting; what is longer is data that a callback holds
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def constructor_settings(item: Any) -> dict[str, Any]:
    """Return the constructor's arguments, from attributes of the same names, as JSON values.

    An argument that is kept under its name, or with an underscore before it, is found; one
    that the object did not keep is not.

    Example:
        >>> constructor_settings(keras.callbacks.EarlyStopping(patience=3))["patience"]
        3
    """
    return {name: plain_setting(value) for name, value in constructor_arguments(item).items()}


def plain_setting(value: Any) -> Any:
    """Return a setting as JSON has it, of bounded size."""
    return plain(value, most_items=_MOST_ITEMS)


def constructor_arguments(item: Any) -> dict[str, Any]:
    """Return the constructor's arguments as they are, of those that the object kept."""
    kept = getattr(item, "__dict__", {})
    found = {}
    for name in constructor_defaults(type(item)):
        value = kept.get(name, kept.get(f"_{name}", _ABSENT))
        if value is not _ABSENT:
            found[name] = value
    return found


def constructor_defaults(kind: type[Any]) -> dict[str, Any]:
    """Return the constructor's parameters with their defaults, or an object of no meaning.

    Where a class passes ``**kwargs`` on, those of the class above count as well.
    """
    found: dict[str, Any] = {}
    for level in kind.__mro__:
        constructor = vars(level).get("__init__")
        if constructor is None or level is object:
            continue
        try:
            parameters = list(inspect.signature(constructor).parameters.values())[1:]
        except (TypeError, ValueError):  # written in C
            break
        for parameter in parameters:
            if parameter.kind not in _VARIADIC:
                found.setdefault(parameter.name, parameter.default)
        if all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found
