"""What statements do to what is known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from modelkb_callbacks.scanning import operations
from modelkb_callbacks.scanning.attributes import set_attribute
from modelkb_callbacks.scanning.canonical_names import RATES
from modelkb_callbacks.scanning.definitions import class_definition, function_definition
from modelkb_callbacks.scanning.findings import Binding
from modelkb_callbacks.scanning.imports import import_from, import_module
from modelkb_callbacks.scanning.joining import join, join_all, options_of
from modelkb_callbacks.scanning.known_methods import put
from modelkb_callbacks.scanning.learning_rates import merged_rates, rate_read, set_rate
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.subscripts import elements_of
from modelkb_callbacks.scanning.values import (
    Class,
    Constant,
    External,
    Function,
    Items,
    Mapping,
    Network,
    Opaque,
    Value,
    origins_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_EXITS = {"builtins.exit", "builtins.quit", "os._exit", "sys.exit"}
Names = dict[str, Value]


def assign(machine: Machine, target: ast.expr, value: Value, scope: Scope) -> None:
    """Bind what stands on the left of an assignment."""
    if isinstance(target, ast.Name):
        _name_network(machine, value, target.id)
        scope.bind(target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(machine, target, value, scope)
    elif isinstance(target, ast.Starred):
        assign(machine, target.value, value, scope)
    elif isinstance(target, ast.Attribute):
        owner = machine.evaluate(target.value, scope)
        _name_network(machine, value, target.attr)
        set_attribute(machine, owner, target.attr, value)
        set_rate(machine, owner, target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        _set_element(machine, target, value, scope)


def _name_network(machine: Machine, value: Value, name: str) -> None:
    for option in options_of(value):
        if isinstance(option, Network) and option.name is None and not machine.dry:
            option.name = name


def _unpack(machine: Machine, target: ast.Tuple | ast.List, value: Value, scope: Scope) -> None:
    count = len(target.elts)
    starred = any(isinstance(each, ast.Starred) for each in target.elts)
    if isinstance(value, Items) and value.exact and len(value.items) == count and not starred:
        for each, item in zip(target.elts, value.items, strict=True):
            assign(machine, each, item.value, scope)
        return
    options = (
        value.options if hasattr(value, "options") and isinstance(value.options, tuple) else ()
    )
    for index, each in enumerate(target.elts):
        parts = [
            option.items[index].value
            for option in options
            if isinstance(option, Items) and len(option.items) == count and not starred
        ]
        unknown = Opaque("a part of something unknown", origins_of(value))
        assign(machine, each, join_all(parts) if parts else unknown, scope)


def _set_element(machine: Machine, target: ast.Subscript, value: Value, scope: Scope) -> None:
    owner = machine.evaluate(target.value, scope)
    if isinstance(target.slice, ast.Slice):
        return
    key = machine.evaluate(target.slice, scope)
    if isinstance(owner, (Mapping, Items)) and machine.hides(owner.birth):
        return
    if isinstance(owner, Mapping):
        if not isinstance(key, Constant) or key.value.__hash__ is None:
            owner.exact = False
            return
        old = owner.items.get(key.value)
        certain = old is None or machine.changes(owner.birth)
        owner.items[key.value] = value if certain or old is None else join(old, value)
    elif isinstance(owner, Items):
        owner.exact = False


def note_bindings(machine: Machine, target: ast.expr, value: Value, scope: Scope) -> None:
    """Note names that get a value, for the hyperparameters."""
    if machine.dry or machine.shadow:
        return
    if isinstance(target, ast.Name):
        kind = "attribute" if scope.is_class else "variable"
        place = scope.home_of(target.id).place
        binding = Binding(kind, target.id, place, value, target.lineno)
        machine.findings.bindings.append(binding)
    elif isinstance(target, ast.Attribute):
        binding = Binding("attribute", target.attr, scope.place, value, target.lineno)
        machine.findings.bindings.append(binding)
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, Items) and value.exact:
        for each, item in zip(target.elts, value.items, strict=False):
            note_bindings(machine, each, item.value, scope)


def _assign(machine: Machine, node: ast.Assign, scope: Scope) -> bool:
    value = machine.evaluate(node.value, scope)
    for target in node.targets:
        assign(machine, target, value, scope)
        note_bindings(machine, target, value, scope)
    return True


def _annotated(machine: Machine, node: ast.AnnAssign, scope: Scope) -> bool:
    if node.value is not None:
        value = machine.evaluate(node.value, scope)
        assign(machine, node.target, value, scope)
        note_bindings(machine, node.target, value, scope)
    return True


def _augmented(machine: Machine, node: ast.AugAssign, scope: Scope) -> bool:
    old = rate_read(machine, machine.evaluate(node.target, scope))
    added = machine.evaluate(node.value, scope)
    if isinstance(old, Items) and old.kind == "list" and isinstance(node.op, ast.Add):
        items = elements_of(added, node)
        put(machine, old, items or [])
        old.exact = old.exact and isinstance(added, Items) and added.exact
        return True
    value = operations.binary(node, old, added)
    assign(machine, node.target, value, scope)
    note_bindings(machine, node.target, value, scope)
    return True


def _if(machine: Machine, node: ast.If, scope: Scope) -> bool:
    truth = operations.truth_of(machine.evaluate(node.test, scope))
    if truth is not None:
        with machine.shadowed(scope):
            machine.run(node.orelse if truth else node.body, scope)
        return machine.run(node.body if truth else node.orelse, scope)
    return _branches(machine, [node.body, node.orelse], scope)


def _branches(machine: Machine, bodies: Sequence[Sequence[ast.stmt]], scope: Scope) -> bool:
    """Follow branches of which only a run can tell which one is taken."""
    before, rates = scope.names, machine.rates
    ends: list[Names] = []
    rates_after = []
    for body in bodies:
        scope.names, machine.rates = dict(before), rates
        machine.weak += 1
        if machine.run(body, scope):
            ends.append(scope.names)
        machine.weak -= 1
        rates_after.append(machine.rates)
    # Of all ways: what a branch returns to a caller was set there, too.
    machine.rates = reduce(merged_rates, rates_after, rates_after[0])
    scope.names = before
    for index, end in enumerate(ends):
        scope.names = dict(end) if index == 0 else merged(scope.names, end)
    return bool(ends)


def merged(one: Names, other: Names) -> Names:
    """Return what is known of names after one of two ways was gone."""
    names = dict(one)
    for name, value in other.items():
        known = names.get(name)
        names[name] = value if known is None or known is value else join(known, value)
    return names


def _for(machine: Machine, node: ast.For | ast.AsyncFor, scope: Scope) -> bool:
    iterable = machine.evaluate(node.iter, scope)
    items = elements_of(iterable, node.iter)
    element: Value
    if items:
        element = join_all(item.value for item in items)
        if len({type(item.value) for item in items}) == 1 and _all_tuples(items):
            element = _columns(items, node)
    else:
        element = Opaque("an element of what a loop runs over", origins_of(iterable))
    _loop(machine, node.body, scope, lambda: assign(machine, node.target, element, scope))
    machine.run(node.orelse, scope)
    return True


def _all_tuples(items: Sequence[Any]) -> bool:
    first = items[0].value
    return isinstance(first, Items) and all(
        len(item.value.items) == len(first.items) for item in items
    )


def _columns(items: Sequence[Any], node: ast.AST) -> Value:
    """Return a tuple of what each place of some tuples can be."""
    width = len(items[0].value.items)
    row = [join_all(item.value.items[index].value for item in items) for index in range(width)]
    return Items("tuple", [type(items[0])(value, node) for value in row])


def _while(machine: Machine, node: ast.While, scope: Scope) -> bool:
    machine.evaluate(node.test, scope)
    _loop(machine, node.body, scope, lambda: None)
    machine.run(node.orelse, scope)
    return True


def _loop(
    machine: Machine, body: Sequence[ast.stmt], scope: Scope, start: Callable[[], None]
) -> None:
    """Follow a loop's body once, with names as they are in any of its rounds."""
    before, rates = dict(scope.names), machine.rates
    carries = _carries_constants(body, scope)
    if (carries or _sets_rates(machine, body)) and not (machine.dry or machine.is_tired):
        machine.dry += 1
        machine.shadow += 1
        start()
        machine.run(body, scope)
        machine.shadow -= 1
        machine.dry -= 1
        scope.names = merged(before, scope.names) if carries else dict(before)
        machine.rates = merged_rates(rates, machine.rates)
        before = dict(scope.names)
    machine.weak += 1
    start()
    machine.run(body, scope)
    machine.weak -= 1
    scope.names = merged(before, scope.names)
    machine.rates = merged_rates(rates, machine.rates)


def _carries_constants(body: Sequence[ast.stmt], scope: Scope) -> bool:
    """Return whether a loop changes a name that has a known value before it."""
    return any(
        isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and isinstance(scope.names.get(node.id), Constant)
        for statement in body
        for node in ast.walk(statement)
    )


def _sets_rates(machine: Machine, body: Sequence[ast.stmt]) -> bool:
    """Return whether a loop may set the learning rate of an optimizer."""
    return bool(machine.rates) and any(
        isinstance(node, ast.Attribute) and node.attr in RATES
        for statement in body
        for node in ast.walk(statement)
    )


def _try(machine: Machine, node: Any, scope: Scope) -> bool:
    before, rates = dict(scope.names), machine.rates
    reached = machine.run(node.body, scope)
    after = scope.names
    ends = [after] if reached else []
    rates_after = machine.rates
    in_handlers = merged_rates(rates, machine.rates)
    for handler in node.handlers:
        scope.names, machine.rates = merged(before, after), in_handlers
        if handler.name:
            scope.names[handler.name] = Opaque("an exception")
        machine.weak += 1
        if machine.run(handler.body, scope):
            ends.append(scope.names)
        machine.weak -= 1
        rates_after = merged_rates(rates_after, machine.rates)
    machine.rates = rates_after
    scope.names = ends[0] if ends else after
    for end in ends[1:]:
        scope.names = _preferring_first(scope.names, end)
    reached = bool(ends) and machine.run(node.orelse, scope)
    return machine.run(node.finalbody, scope) and reached


def _preferring_first(one: Names, other: Names) -> Names:
    """Join, but of two modules, functions or classes take that of the ``try``."""
    names = merged(one, other)
    for name, value in one.items():
        if isinstance(value, (External, Function, Class)):
            names[name] = value
    return names


def _with(machine: Machine, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
    for item in node.items:
        value = machine.evaluate(item.context_expr, scope)
        if item.optional_vars is not None:
            assign(machine, item.optional_vars, value, scope)
    return machine.run(node.body, scope)


def _return(machine: Machine, node: ast.Return, scope: Scope) -> bool:
    value: Value = Constant(None)
    if node.value is not None:
        value = machine.evaluate(node.value, scope)
    frame = machine.frames[-1]
    if machine.shadow == frame.shadow:
        frame.returns.append(value)
    return False


def _raise(machine: Machine, node: ast.Raise, scope: Scope) -> bool:
    if node.exc is not None:
        machine.evaluate(node.exc, scope)
    return False


def _expression(machine: Machine, node: ast.Expr, scope: Scope) -> bool:
    machine.evaluate(node.value, scope)
    return not (isinstance(node.value, ast.Call) and _exits(machine, node.value.func, scope))


def _exits(machine: Machine, node: ast.expr, scope: Scope) -> bool:
    is_name = isinstance(node, ast.Name)
    if is_name or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
        function = machine.evaluate(node, scope)
        return isinstance(function, External) and function.name in _EXITS
    return False


def _assert(machine: Machine, node: ast.Assert, scope: Scope) -> bool:
    machine.evaluate(node.test, scope)
    return True


def _outer(machine: Machine, node: ast.Global | ast.Nonlocal, scope: Scope) -> bool:
    scope.outer.update(node.names)
    return True


def _delete(machine: Machine, node: ast.Delete, scope: Scope) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Name) and not machine.weak:
            scope.names.pop(target.id, None)
    return True


def _match(machine: Machine, node: ast.Match, scope: Scope) -> bool:
    machine.evaluate(node.subject, scope)
    return _branches(machine, [*(case.body for case in node.cases), []], scope)


HANDLERS: dict[type[ast.AST], Callable[[Machine, Any, Scope], bool]] = {
    ast.AnnAssign: _annotated,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AsyncFor: _for,
    ast.AsyncFunctionDef: function_definition,
    ast.AsyncWith: _with,
    ast.AugAssign: _augmented,
    ast.ClassDef: class_definition,
    ast.Delete: _delete,
    ast.Expr: _expression,
    ast.For: _for,
    ast.FunctionDef: function_definition,
    ast.Global: _outer,
    ast.If: _if,
    ast.Import: import_module,
    ast.ImportFrom: import_from,
    ast.Match: _match,
    ast.Nonlocal: _outer,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
    ast.While: _while,
    ast.With: _with,
}
if hasattr(ast, "TryStar"):  # Python 3.11
    HANDLERS[ast.TryStar] = _try
