"""Functions of the standard library whose results can be told."""

from __future__ import annotations

import ast
import json
import math
import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelkb_callbacks.scanning import operations
from modelkb_callbacks.scanning.canonical_names import canonical
from modelkb_callbacks.scanning.joining import join_all, options_of
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.subscripts import elements_of
from modelkb_callbacks.scanning.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    External,
    Instance,
    Item,
    Items,
    Mapping,
    Method,
    Opaque,
    Value,
    origins_of,
    plain,
    tuple_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_MOST_ROUNDS = 256
MODULES = (
    "builtins.",
    "collections.",
    "dataclasses.",
    "importlib.",
    "json.",
    "math.",
    "os.",
    "pathlib.",
    "types.",
)


def _numbers(start: int, *more: int) -> list[int]:
    numbers = range(start, *more)
    if len(numbers) > _MOST_ROUNDS:
        raise ValueError("too many")
    return list(numbers)


_OF_CONSTANTS: dict[str, Callable[..., Any]] = {
    "builtins.abs": abs,
    "builtins.bool": bool,
    "builtins.float": float,
    "builtins.int": int,
    "builtins.len": len,
    "builtins.max": max,
    "builtins.min": min,
    "builtins.range": _numbers,
    "builtins.round": round,
    "builtins.sorted": sorted,
    "builtins.str": str,
    "builtins.sum": sum,
    "json.loads": json.loads,
    "math.ceil": math.ceil,
    "math.exp": math.exp,
    "math.floor": math.floor,
    "math.log": math.log,
    "math.log10": math.log10,
    "math.log2": math.log2,
    "math.sqrt": math.sqrt,
    "os.path.abspath": lambda path: path,
    "os.path.basename": posixpath.basename,
    "os.path.dirname": posixpath.dirname,
    "os.path.expanduser": lambda path: path,
    "os.path.join": posixpath.join,
    "os.path.normpath": posixpath.normpath,
    "pathlib.Path": posixpath.join,
    "pathlib.PurePath": posixpath.join,
}


def known_function(
    machine: Machine, name: str, arguments: Arguments, node: ast.expr, scope: Scope
) -> Value | None:
    """Return the result of a function of the standard library, None if it is not known here."""
    if name in ("os.environ.get", "os.getenv"):
        default = arguments.value("default", position=1)
        return default or Opaque("a variable of the environment without a default")
    special = _SPECIAL.get(name) or (None if name.startswith(MODULES) else _dictionary)
    if special is not None:
        return special(machine, arguments, node, scope)
    function = _OF_CONSTANTS.get(name)
    if function is None or arguments.rest is not None or arguments.keywords:
        return None
    values = tuple(each.value for each in arguments.positional)
    return operations.over_options(
        values, function, f"the result of {name.removeprefix('builtins.')}() is known only in a run"
    )


def _dictionary(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    first = arguments.value(position=0)
    made = Mapping({}, arguments.rest is None, machine.birth)
    if isinstance(first, Mapping):
        made.items.update(first.items)
        made.exact = made.exact and first.exact
    elif first is not None:
        made.exact = False
    made.items.update({key: each.value for key, each in arguments.keywords.items()})
    return made


def _list(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value | None:
    kind = "list" if getattr(getattr(node, "func", None), "id", "") != "tuple" else "tuple"
    first = arguments.value(position=0)
    if first is None:
        return Items(kind, [], birth=machine.birth)
    found = elements_of(first, node)
    if found is None:
        return Opaque("a list known only in a run", origins_of(first))
    exact = not isinstance(first, (Items, Mapping)) or first.exact
    return Items(kind, found, exact, machine.birth)


def _variables(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    value = arguments.value(position=0)
    if isinstance(value, Instance):
        return Mapping(dict(value.attributes.items()), False, machine.birth)
    if isinstance(value, Mapping):
        return value
    return Opaque("variables known only in a run")


def _attribute(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    from modelkb_callbacks.scanning.attributes import attribute_of

    owner, name = arguments.value(position=0), arguments.value(position=1)
    default = arguments.value(position=2)
    if owner is None or not (isinstance(name, Constant) and isinstance(name.value, str)):
        return Opaque("an attribute whose name only a run can tell")
    found = attribute_of(machine, owner, name.value, node)
    missing = isinstance(found, Method) and isinstance(owner, (Instance, Mapping))
    return default if missing and default is not None else found


def _set(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    from modelkb_callbacks.scanning.attributes import set_attribute
    from modelkb_callbacks.scanning.learning_rates import set_rate

    values = [each.value for each in arguments.positional]
    if len(values) == 3 and isinstance(values[1], Constant):
        set_attribute(machine, values[0], str(values[1].value), values[2])
        set_rate(machine, values[0], str(values[1].value), values[2], node)
    return NONE


def _enumerated(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    value = arguments.value(position=0) or NONE
    found = elements_of(value, node)
    if found is None:
        pair = tuple_of(node, Opaque("a count"), Opaque("an element", origins_of(value)))
        return Items("list", [Item(pair, node)], exact=False)
    pairs = [Item(tuple_of(node, Constant(at), item.value), node) for at, item in enumerate(found)]
    return Items("list", pairs, not isinstance(value, (Items, Mapping)) or value.exact)


def _zipped(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    columns = [elements_of(each.value, node) for each in arguments.positional]
    known = [column for column in columns if column is not None]
    if len(known) == len(columns) and known:
        exact = all(getattr(each.value, "exact", True) for each in arguments.positional)
        rows = zip(*known, strict=False)
        pairs = [Item(tuple_of(node, *(item.value for item in row)), node) for row in rows]
        return Items("list", pairs, exact)
    row = [
        join_all(item.value for item in column)
        if column
        else Opaque("an element", origins_of(each.value))
        for column, each in zip(columns, arguments.positional, strict=True)
    ]
    return Items("list", [Item(tuple_of(node, *row), node)], exact=False)


def _reversed(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    value = arguments.value(position=0) or NONE
    found = elements_of(value, node)
    if found is None:
        return Opaque("a list known only in a run", origins_of(value))
    return Items("list", found[::-1], getattr(value, "exact", True))


def _map(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    from modelkb_callbacks.scanning.calls import call_value

    function, iterable = arguments.value(position=0), arguments.value(position=1)
    if function is None or iterable is None:
        return Opaque("a list known only in a run", arguments.origins())
    found = elements_of(iterable, node)
    if found is None or len(found) > 16:
        return Opaque("a list known only in a run", arguments.origins())
    items = []
    for item in found:
        one = Arguments([type(arguments.positional[1])(item.value, arguments.positional[1].node)])
        items.append(Item(call_value(machine, function, one, node, scope), node))
    return Items("list", items, getattr(iterable, "exact", True))


def _names(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    return Mapping(dict(scope.names.items()), exact=False)


def _field(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    from modelkb_callbacks.scanning.calls import call_value

    factory = arguments.value("default_factory")
    if factory is not None:
        return call_value(machine, factory, Arguments(), node, scope)
    return arguments.value("default") or Opaque("a field without a default")


def _as_mapping(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    value = arguments.value(position=0)
    for option in options_of(value) if value is not None else ():
        if isinstance(option, Instance):
            return Mapping(dict(option.attributes.items()), birth=machine.birth)
    return Opaque("fields known only in a run")


def _module(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    """Follow ``importlib.import_module("keras")``."""
    name = arguments.value("name", position=0)
    if not (isinstance(name, Constant) and isinstance(name.value, str)):
        return Opaque("a module whose name only a run can tell")
    machine.findings.imports.add(name.value)
    return External(canonical(name.value))


def _named_tuple(
    machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope
) -> Value | None:
    """Follow ``namedtuple("Config", "epochs rate")``: a class like those of NamedTuple."""
    try:
        name, fields = (plain(each.value) for each in arguments.positional)
        defaults = plain(arguments.value("defaults") or Constant(()))
    except ValueError:
        return None
    names = fields.replace(",", " ").split() if isinstance(fields, str) else fields
    if not (isinstance(names, (list, tuple)) and isinstance(defaults, (list, tuple))):
        return None
    if not all(isinstance(each, str) and each.isidentifier() for each in (name, *names)):
        return None
    body = "".join(f" {each}: object\n" for each in names)
    definition = ast.parse(f"class {name}:\n 'Fields.'\n{body}").body[0]
    assert isinstance(definition, ast.ClassDef)
    known = zip(reversed(names), reversed(defaults), strict=False)
    attributes: dict[str, Value] = {each: Constant(value) for each, value in known}
    return Class(str(name), definition, [External("typing.NamedTuple")], attributes)


_SPECIAL: dict[str, Callable[[Machine, Arguments, ast.expr, Scope], Value | None]] = {
    "builtins.__import__": _module,
    "builtins.dict": _dictionary,
    "builtins.enumerate": _enumerated,
    "builtins.getattr": _attribute,
    "builtins.globals": _names,
    "builtins.list": _list,
    "builtins.locals": _names,
    "builtins.map": _map,
    "builtins.reversed": _reversed,
    "builtins.set": _list,
    "builtins.setattr": _set,
    "builtins.tuple": _list,
    "builtins.vars": _variables,
    "builtins.zip": _zipped,
    "collections.OrderedDict": _dictionary,
    "collections.namedtuple": _named_tuple,
    "dataclasses.asdict": _as_mapping,
    "dataclasses.field": _field,
    "importlib.import_module": _module,
    "types.SimpleNamespace": _dictionary,
}
