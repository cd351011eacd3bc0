"""Attributes of values."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from modelkb_callbacks.scanning.canonical_names import RATES, canonical, kind_of
from modelkb_callbacks.scanning.joining import join, join_all
from modelkb_callbacks.scanning.layer_calls import output_tensor
from modelkb_callbacks.scanning.origins import INPUT
from modelkb_callbacks.scanning.values import (
    Arguments,
    Choice,
    Class,
    Constant,
    External,
    Function,
    Instance,
    Made,
    Mapping,
    Method,
    Network,
    Opaque,
    Value,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_KNOWN = {"math.pi": math.pi, "numpy.pi": math.pi, "math.e": math.e, "sys.maxsize": 2**63 - 1}
_MOST_BASES = 16


def attribute_of(machine: Machine, owner: Value, name: str, node: ast.expr) -> Value:
    """Return what is known of ``owner.name``."""
    found = _attribute_of(machine, owner, name, node)
    if name == "optimizer" and isinstance(found, Method):
        from modelkb_callbacks.scanning.learning_rates import optimizer_of

        return optimizer_of(machine, owner) or found
    return found


def _attribute_of(machine: Machine, owner: Value, name: str, node: ast.expr) -> Value:
    if isinstance(owner, External):
        full = canonical(f"{owner.name}.{name}")
        if full == "absl.flags.FLAGS" or full.endswith("app.flags.FLAGS"):
            return machine.findings.flags
        if full in machine.findings.set_outside:
            return machine.findings.set_outside[full]
        return Constant(_KNOWN[full]) if full in _KNOWN else External(full)
    if isinstance(owner, Made) and name in owner.attributes:
        return owner.attributes[name]
    if isinstance(owner, Choice):
        return join_all(attribute_of(machine, each, name, node) for each in owner.options)
    if isinstance(owner, Instance):
        return _of_instance(machine, owner, name, node)
    if isinstance(owner, Class):
        found = class_attribute(owner, name)
        if isinstance(found, Function) and "classmethod" in decorators_of(found):
            return replace(found, receiver=owner)
        return Method(owner, name) if found is None else found
    if isinstance(owner, Mapping) and name in owner.items:
        return owner.items[name]
    if isinstance(owner, Network):
        return _of_network(owner, name)
    if isinstance(owner, Constant) and name == "value":  # a member of an enum, a flag of absl
        return owner
    return Method(owner, name)


def _of_instance(machine: Machine, owner: Instance, name: str, node: ast.expr) -> Value:
    if name in RATES and owner.cls.kind == "optimizer":
        return Method(owner, name)
    if name in owner.attributes:
        return owner.attributes[name]
    found = class_attribute(owner.cls, name)
    if isinstance(found, Function):
        return _bound(machine, owner, found, node)
    if found is not None:
        return found
    return Method(owner, name)


def _bound(machine: Machine, owner: Instance, function: Function, node: ast.expr) -> Value:
    decorators = decorators_of(function)
    if "staticmethod" in decorators:
        return function
    receiver: Value = owner.cls if "classmethod" in decorators else owner
    bound = replace(function, receiver=receiver)
    if "property" in decorators or "cached_property" in decorators:
        from modelkb_callbacks.scanning.calls import call_function

        return call_function(machine, bound, Arguments(), node)
    return bound


def decorators_of(function: Function) -> set[str]:
    """Return the last parts of the names of a function's decorators."""
    return set() if isinstance(function.node, ast.Lambda) else decorator_names(function.node)


def decorator_names(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """Return the last parts of the names of a definition's decorators."""
    names = set()
    for each in node.decorator_list:
        target = each.func if isinstance(each, ast.Call) else each
        if isinstance(target, ast.Attribute):
            names.add(target.attr)
        elif isinstance(target, ast.Name):
            names.add(target.id)
    return names


def class_attribute(cls: Class, name: str) -> Value | None:
    """Return what a class or one of its bases in this source binds a name to."""
    for each in ancestors(cls):
        if name in each.attributes:
            return each.attributes[name]
    return None


def ancestors(cls: Class) -> list[Class]:
    """Return a class and its bases in this source, nearest first."""
    found = [cls]
    for each in found:
        for base in each.bases:
            if isinstance(base, Class) and base not in found and len(found) < _MOST_BASES:
                found.append(base)
    return found


def _of_network(owner: Network, name: str) -> Value:
    if name in ("output", "outputs"):
        return output_tensor(owner)
    if name in ("input", "inputs"):
        return Opaque("the input of a model", frozenset({INPUT}))
    return Method(owner, name)


def set_attribute(machine: Machine, owner: Value, name: str, value: Value) -> None:
    """Follow ``owner.name = value``."""
    if isinstance(owner, Choice):
        for option in owner.options:
            _set_one(machine, option, name, value, certain=False)
    else:
        _set_one(machine, owner, name, value, certain=True)


def _set_one(machine: Machine, owner: Value, name: str, value: Value, *, certain: bool) -> None:
    if isinstance(owner, Instance):
        certain = certain and machine.changes(owner.birth)
        _store(owner.attributes, name, value, certain, machine.hides(owner.birth))
    elif isinstance(owner, Mapping):
        certain = certain and machine.changes(owner.birth)
        _store(owner.items, name, value, certain, machine.hides(owner.birth))
    elif isinstance(owner, Made) and name in RATES and kind_of(owner.name) == "optimizer":
        return  # a variable, which is followed by itself
    elif isinstance(owner, (Class, Made)):
        _store(owner.attributes, name, value, certain and not machine.weak, machine.shadow > 0)
    elif isinstance(owner, External):  # wandb.config.epochs = 5
        known = machine.findings.set_outside
        full = f"{owner.name}.{name}"
        _store(known, full, value, certain and not machine.weak, machine.shadow > 0)


def _store(
    names: dict[str, Value] | dict[object, Value],
    name: str,
    value: Value,
    certain: bool,
    hidden: bool,
) -> None:
    known = cast("dict[object, Value]", names)
    old = known.get(name)
    if hidden:
        known.setdefault(name, value)
    else:
        known[name] = value if certain or old is None else join(old, value)
