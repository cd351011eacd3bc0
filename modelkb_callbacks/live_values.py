"""Values that the user's program has now, of names that the scanner found in its source.

What a source says is what holds unless something else is said: on the command line, in the
environment, by another branch. The running program knows.
"""

from __future__ import annotations

import argparse
import dataclasses
import types
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

_MOST_ITEMS = 1000
_DEEPEST = 4
_NOT_PLAIN = object()


def live_values(frames: Iterable[FrameType], names: Iterable[str]) -> dict[str, Any]:
    """Return the values of some names, of those that have a plain one.

    A name is looked up as a variable, in the frames from the innermost on and in their
    modules; then as a part of a configuration that one of these variables holds: a namespace
    of argparse, a SimpleNamespace, a dataclass, a NamedTuple, a dictionary, a class or an
    object with attributes. No code of the user's is run for it.

    Args:
        frames: The user's frames, the innermost first.
        names: Names, a configuration's with or without it: ``units``, ``config.units``.

    Returns:
        Numbers, texts, truth values, None, and lists and dictionaries of these, by name.
    """
    wanted = {name: name.rpartition(".")[2] for name in names}
    spaces: list[Mapping[str, Any]] = []
    for frame in frames:
        spaces += [frame.f_locals, frame.f_globals]
    found = _first(spaces, wanted)
    rest = {name: last for name, last in wanted.items() if name not in found}
    if rest:
        configurations = (part for space in spaces for part in _configurations(space))
        found |= _first(configurations, rest)
    return {name: value for name, value in found.items() if value is not _NOT_PLAIN}


def _first(spaces: Iterable[Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for space in spaces:
        for name, last in wanted.items():
            if name not in found and last in space:
                found[name] = _plain(space[last])
    return found


def _configurations(space: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in list(space.values()):
        attributes = _attributes(value)
        if attributes is not None:
            yield attributes


def _attributes(value: Any) -> Mapping[str, Any] | None:
    """Return what a configuration holds, read past whatever the user's classes define."""
    kind = type(value)
    if kind is dict:
        return value if all(type(key) is str for key in list(value)[:_MOST_ITEMS]) else None
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value, strict=False))
    if kind is type and not value.__module__.startswith(("keras", "tensorflow", "numpy")):
        return {key: each for key, each in vars(value).items() if not key.startswith("_")}
    is_configuration = kind in (
        argparse.Namespace,
        types.SimpleNamespace,
    ) or dataclasses.is_dataclass(kind)
    if not is_configuration and kind.__module__ != "__main__":
        return None
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return attributes if type(attributes) is dict else None


def _plain(value: Any, depth: int = 0) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if depth >= _DEEPEST or kind not in (list, tuple, dict) or len(value) > _MOST_ITEMS:
        return _NOT_PLAIN
    if kind is dict:
        items = {str(key): _plain(each, depth + 1) for key, each in value.items()}
        return _NOT_PLAIN if any(each is _NOT_PLAIN for each in items.values()) else items
    parts = [_plain(each, depth + 1) for each in value]
    return _NOT_PLAIN if any(each is _NOT_PLAIN for each in parts) else parts
