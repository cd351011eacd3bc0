"""The constants that a training depends on."""

from __future__ import annotations

import ast
from math import isfinite
from typing import Any

from modelkb_callbacks.scanning.findings import Binding, Findings
from modelkb_callbacks.scanning.relevance import Relevance
from modelkb_callbacks.scanning.resolving import UNKNOWN, constant_of
from modelkb_callbacks.scanning.values import Mapping

_LONGEST_TEXT = 200
_MOST_ELEMENTS = 64
# Where one name is bound in several places, what a user sets from outside says most.
_ORDER = ("option", "variable", "attribute", "key", "argument")


def hyperparameters(findings: Findings, relevance: Relevance) -> dict[str, Any]:
    """Return the constants that feed a model, its data, ``compile`` or ``fit``, by name."""
    groups: dict[tuple[str, object, str], list[Binding]] = {}
    for binding in _expanded(findings, relevance):
        if not binding.name.startswith("__") and _is_relevant(binding, findings, relevance):
            place = binding.place
            groups.setdefault((binding.kind, place, binding.name), []).append(binding)
    found: dict[str, tuple[int, int, Any]] = {}
    for (kind, _, name), bindings in groups.items():
        value = _value(bindings)
        if kind == "argument" and isinstance(value, dict):  # other calls, other values
            continue
        rank = _ORDER.index(kind), bindings[0].line
        if value is not UNKNOWN and (name not in found or rank < found[name][:2]):
            found[name] = (*rank, value)
    in_order = sorted(found.items(), key=lambda each: (each[1][1], each[0]))
    return {name: value for name, (_, _, value) in in_order}


def _expanded(findings: Findings, relevance: Relevance) -> list[Binding]:
    """Return all bindings, and the keys of dictionaries that a training depends on."""
    expanded = []
    for binding in findings.bindings:
        if not isinstance(binding.value, Mapping):
            expanded.append(binding)
            continue
        if binding.kind == "argument" or not _is_relevant(binding, findings, relevance):
            continue
        for key, value in binding.value.items.items():
            if isinstance(key, str) and key.isidentifier():
                expanded.append(Binding("key", key, binding.place, value, binding.line))
    return expanded


def _is_relevant(binding: Binding, findings: Findings, relevance: Relevance) -> bool:
    if binding.kind in ("option", "key"):
        return True
    if binding.kind == "attribute":
        return relevance.has_attribute(binding.name)
    place = binding.place
    is_shared = isinstance(place, ast.AST) and len(findings.call_sites.get(place, ())) > 1
    if binding.kind == "argument" and is_shared and binding.name not in _with_default(place):
        return False
    return relevance.has_name(place, binding.name)


def _with_default(function: object) -> set[str]:
    """Return the arguments of a function whose values are noted for every call."""
    spec = getattr(function, "args", None)
    if not isinstance(spec, ast.arguments):
        return set()
    positional = [*spec.posonlyargs, *spec.args]
    named = positional[len(positional) - len(spec.defaults) :]
    return {each.arg for each in (*named, *spec.kwonlyargs)}


def _value(bindings: list[Binding]) -> Any:
    values: list[Any] = []
    for binding in bindings:
        value = constant_of(binding.value)
        if value is UNKNOWN or not _is_plain(value):
            return UNKNOWN
        if not any(value == known and type(value) is type(known) for known in values):
            values.append(value)
    return values[0] if len(values) == 1 else {"any_of": values}


def _is_plain(value: Any) -> bool:
    """Return whether a value is a setting: a number, a short text, a list of these."""
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    if isinstance(value, (list, tuple)):
        return 0 < len(value) <= _MOST_ELEMENTS and all(_is_plain(each) for each in value)
    return isinstance(value, (bool, int)) or (isinstance(value, float) and isfinite(value))
