"""From what is known of a value to what a record says of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from modelkb_callbacks.scanning.canonical_names import last_part
from modelkb_callbacks.scanning.findings import Event
from modelkb_callbacks.scanning.scan import Unresolved
from modelkb_callbacks.scanning.values import (
    Argument,
    Choice,
    Class,
    Constant,
    External,
    Function,
    Instance,
    Items,
    Made,
    Mapping,
    Network,
    Opaque,
    Value,
    plain,
)

_LONGEST_EXPRESSION = 120
UNKNOWN = object()


@dataclass(slots=True)
class Notes:
    """The list of what could not be told, each once.

    Attributes:
        lines: The source's lines.
        entries: What was noted.
    """

    lines: list[str]
    entries: dict[Unresolved, None] = field(default_factory=dict)

    def add(self, node: ast.AST, reason: str) -> None:
        """Note that only a run can tell an expression's value."""
        line = getattr(node, "lineno", 0)
        self.entries[Unresolved(self.text_of(node), line, reason)] = None

    def text_of(self, node: ast.AST) -> str:
        """Return the source of an expression, on one line."""
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
        if not 1 <= first <= last <= len(self.lines):
            return ""
        chosen = [line.encode() for line in self.lines[first - 1 : min(last, first + 20)]]
        if last - first <= 20:
            chosen[-1] = chosen[-1][: getattr(node, "end_col_offset", None)]
        chosen[0] = chosen[0][getattr(node, "col_offset", 0) :]
        text = " ".join(b" ".join(chosen).decode(errors="replace").split())
        if len(text) > _LONGEST_EXPRESSION:
            return text[: _LONGEST_EXPRESSION - 1] + "…"
        return text


def reason_of(value: Value) -> str:
    """Return why a value is not known."""
    if isinstance(value, Opaque):
        return value.reason
    if isinstance(value, Choice):
        known = [_short(option) for option in value.options]
        return "one of several: " + ", ".join(known)
    return "not a value that can be told without running"


def _short(value: Value) -> str:
    if isinstance(value, Constant):
        return repr(value.value)[:40]
    return name_of(value) or "something unknown"


def name_of(value: Value) -> str | None:
    """Return how a record names an object: a text itself, an object by its class."""
    if isinstance(value, Constant):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, (Made, External)):
        return last_part(value.name)
    if isinstance(value, Instance):
        return value.cls.name
    if isinstance(value, (Class, Function)):
        return value.name
    return value.class_name if isinstance(value, Network) else None


def number_of(value: Value) -> Any:
    """Return a number or None; UNKNOWN for everything else."""
    if isinstance(value, Constant):
        known = value.value
        is_number = isinstance(known, (int, float)) and not isinstance(known, bool)
        if known is None or (is_number and isfinite(float(str(known)))):
            return known
    return UNKNOWN


def agreed(
    events: list[Event],
    read: Callable[[Event], Argument | None],
    convert: Callable[[Value], Any],
    notes: Notes,
) -> Any:
    """Return what all rounds through one call agree on, else None and a note.

    Args:
        events: The rounds.
        read: Gives the argument; None if it is not passed.
        convert: Gives what the record says, UNKNOWN if that cannot be told.
        notes: Where to note what cannot be told.
    """
    found: list[Any] = []
    for event in events:
        argument = read(event)
        if argument is None:
            found.append(None)
            continue
        result = convert(argument.value)
        if result is UNKNOWN:
            notes.add(argument.node, reason_of(argument.value))
            return None
        if result not in found:
            found.append(result)
    different = [each for index, each in enumerate(found) if each not in found[:index]]
    if len(different) <= 1:
        return different[0] if different else None
    argument = next(each for event in events if (each := read(event)) is not None)
    several = ", ".join(repr(each) for each in different[:4])
    notes.add(argument.node, f"different from call to call: {several}")
    return None


def names_in(
    argument: Argument | None, name: Callable[[Value], str | None], notes: Notes
) -> list[str]:
    """Return the names of the objects in an argument: a list, a dictionary, or one object."""
    if argument is None:
        return []
    names: list[str] = []
    for value in _flattened(argument.value):
        found = name(value)
        if found is not None:
            names.append(found)
        elif not (isinstance(value, Constant) and value.value is None):
            notes.add(argument.node, reason_of(value))
    return names


def merged_names(
    rounds: list[list[str]], argument: Argument | None, notes: Notes
) -> tuple[str, ...]:
    """Return the names of all rounds through one call, each as often as in one of them."""
    different = [names for at, names in enumerate(rounds) if names not in rounds[:at]]
    if argument is not None and len(different) > 1:
        several = ", ".join(str(names) for names in different[:4])
        notes.add(argument.node, f"different from call to call: {several}")
    merged: list[str] = []
    for names in rounds:
        for name in dict.fromkeys(names):
            merged += [name] * (names.count(name) - merged.count(name))
    return tuple(rounds[0]) if all(each == rounds[0] for each in rounds) else tuple(merged)


def _flattened(value: Value, depth: int = 0) -> Iterable[Value]:
    parts: list[Value] = []
    if depth > 6:
        return [value]
    if isinstance(value, Items):
        # One entry for one place of the source, however often it is passed.
        sites: dict[int, Value] = {id(item.site): item.value for item in value.items}
        values = sites.values() if not value.exact else [item.value for item in value.items]
        parts = [part for each in values for part in _flattened(each, depth + 1)]
        return parts if value.exact or parts else [Opaque("a list known only in a run")]
    if isinstance(value, Mapping):
        return [part for each in value.items.values() for part in _flattened(each, depth + 1)]
    if isinstance(value, Choice) and any(
        isinstance(each, (Items, Mapping)) for each in value.options
    ):
        for option in value.options:
            parts += [each for each in _flattened(option, depth + 1) if each not in parts]
        return parts
    return [value]


def by_call(events: list[Event]) -> list[list[Event]]:
    """Group rounds by the call they went through, in the order of the source.

    Rounds that a run does not take count only for calls that it never takes.
    """
    groups: dict[ast.AST, list[Event]] = {}
    for event in events:
        groups.setdefault(event.node, []).append(event)
    chosen = []
    for group in groups.values():
        real = [event for event in group if not event.is_shadow]
        chosen.append(real or group)
    return sorted(chosen, key=lambda group: position_of(group[0].node))


def position_of(node: ast.AST) -> tuple[int, int]:
    """Return where a node starts."""
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def constant_of(value: Value) -> Any:
    """Return a constant of numbers and texts, UNKNOWN for everything else."""
    try:
        return plain(value)
    except ValueError:
        return UNKNOWN
