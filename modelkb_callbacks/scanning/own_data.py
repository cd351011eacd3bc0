"""Data that the source's own generators and PyDatasets give."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning import fit_calls
from modelkb_callbacks.scanning.attributes import ancestors, class_attribute, decorators_of
from modelkb_callbacks.scanning.canonical_names import last_part
from modelkb_callbacks.scanning.findings import Event, Findings, LoadEvent
from modelkb_callbacks.scanning.origins import Fed, Origin
from modelkb_callbacks.scanning.values import (
    Arguments,
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
    origins_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_PATH = re.compile(r"[^\n]*[/\\][^\n]*|[^\s.][^\n]*\.\w{1,8}|\.{1,2}")
_NAME_OF_PATH = re.compile(r"dir(ectory)?$|file(s|_?name)?$|folder$|path$|^root$", re.IGNORECASE)
# Generators that are no source of anything.
_NO_SOURCES = {"asynccontextmanager", "contextmanager", "fixture"}
_EVALUATED = ("x", "y", "generator")
_TRAINED = {
    "fit": ("x", "y", "validation_data"),
    "fit_generator": ("generator", "validation_data"),
}


def fed_by_function(
    machine: Machine, function: Function, arguments: Arguments, node: ast.AST
) -> frozenset[Origin]:
    """Note a call of a generator function, and return the mark of what it yields."""
    if isinstance(function.node, ast.Lambda) or decorators_of(function) & _NO_SOURCES:
        return frozenset()
    if function.name == "__call__" and isinstance(function.receiver, Instance):
        owner = function.receiver
        return _fed(machine, owner.cls.name, owner.arguments, _parameters(owner.cls), node)
    names = [each.arg for each in function.node.args.args]
    if function.receiver is not None:
        names = names[1:]
    return _fed(machine, function.name, arguments, names, node)


def fed_by_class(
    machine: Machine, cls: Class, arguments: Arguments, node: ast.AST
) -> frozenset[Origin]:
    """Note the making of a PyDataset, and return the mark of what it gives."""
    if not any(_is_dataset(base) for each in ancestors(cls) for base in each.bases):
        return frozenset()
    return _fed(machine, cls.name, arguments, _parameters(cls), node)


def _parameters(cls: Class) -> list[str]:
    initial = class_attribute(cls, "__init__")
    if not isinstance(initial, Function):
        return []
    return [each.arg for each in initial.node.args.args[1:]]


def _is_dataset(base: Value) -> bool:
    return (
        isinstance(base, External)
        and base.name.startswith("keras.")
        and last_part(base.name) in ("PyDataset", "Sequence")
    )


def _fed(
    machine: Machine, name: str, arguments: Arguments, names: list[str], node: ast.AST
) -> frozenset[Origin]:
    if not isinstance(node, ast.Call):  # a function that nothing calls
        return frozenset()
    if not machine.dry:
        event = LoadEvent(node, name, None, _path_in(arguments, names))
        machine.findings.own_data.setdefault(node, []).append(event)
    return frozenset({Fed(node)})


def _path_in(arguments: Arguments, names: list[str]) -> str | None:
    """Return the path among some arguments, if there is just one."""
    named = [*zip(names, arguments.positional, strict=False), *arguments.keywords.items()]
    paths = {
        argument.value.value
        for name, argument in named
        if isinstance(argument.value, Constant)
        and isinstance(argument.value.value, str)
        and (_NAME_OF_PATH.search(name) or _PATH.fullmatch(argument.value.value))
    }
    return paths.pop() if len(paths) == 1 else None


def own_data(findings: Findings) -> Iterable[LoadEvent]:
    """Return the calls of generators and PyDatasets that feed a training or an evaluation."""
    used = {origin.node for origin in trained_on(findings) if isinstance(origin, Fed)}
    return [event for node in used for event in findings.own_data.get(node, ())]


def trained_on(findings: Findings) -> set[Origin]:
    """Return what the data of trainings and evaluations was made from."""
    used = set(findings.trained_on)
    for event in findings.fits:
        used.update(_taken(event, _TRAINED[fit_calls.called(event)]))
    for event in findings.evaluations:
        used.update(_taken(event, _EVALUATED))
    return used


def _taken(event: Event, names: tuple[str, ...]) -> Iterable[Origin]:
    found = [fit_calls.argument_of(event, name) for name in names]
    return [
        origin
        for argument in found
        if argument is not None
        for origin in origins_of(argument.value)
    ]
