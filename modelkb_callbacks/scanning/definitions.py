"""Definitions of functions and classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning.argument_parsing import click_defaults
from modelkb_callbacks.scanning.canonical_names import kind_of, last_part
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.values import Arguments, Class, External, Function, Value

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_ENUMS = {"enum.Enum", "enum.IntEnum", "enum.StrEnum"}


def function_definition(
    machine: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope
) -> bool:
    """Follow ``def``."""
    from modelkb_callbacks.scanning.expressions import arguments_of, defaults_of

    defaults = defaults_of(machine, node.args, scope)
    decorators: list[tuple[str, Arguments, ast.expr]] = []
    for each in node.decorator_list:
        if isinstance(each, ast.Call):
            target = machine.evaluate(each.func, scope)
            if isinstance(target, External):
                decorators.append((target.name, arguments_of(machine, each, scope), each))
    defaults.update(click_defaults(machine, decorators))
    made = Function(node, scope, node.name, defaults)
    scope.bind(node.name, made)
    if not machine.dry:
        machine.findings.functions.append(made)
    return True


def class_definition(machine: Machine, node: ast.ClassDef, scope: Scope) -> bool:
    """Follow ``class``."""
    bases = [machine.evaluate(base, scope) for base in node.bases]
    body = Scope(parent=scope, is_class=True, place=node)
    machine.run(node.body, body)
    made = Class(node.name, node, bases, body.names, _kind(bases))
    for value in body.names.values():
        if isinstance(value, Function) and value.scope is body:
            value.owner = made
    scope.bind(node.name, made)
    if made.kind == "model" and not machine.dry:
        machine.findings.model_classes.append(made)
    return True


def _kind(bases: list[Value]) -> str | None:
    for base in bases:
        if isinstance(base, Class) and base.kind is not None:
            return base.kind
        if isinstance(base, External):
            kind = _kind_of_base(base.name)
            if kind is not None:
                return kind
    return None


def _kind_of_base(name: str) -> str | None:
    if name in _ENUMS:
        return "enum"
    kind = kind_of(name)
    if kind == "sequential":
        return "model"
    if kind is None and name.startswith("keras") and last_part(name) == "Layer":
        return "layer"
    return kind
