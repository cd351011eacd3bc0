"""What is known of an expression's value."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any

from modelkb_callbacks.scanning import operations
from modelkb_callbacks.scanning.attributes import attribute_of
from modelkb_callbacks.scanning.calls import call_value
from modelkb_callbacks.scanning.joining import join, join_all
from modelkb_callbacks.scanning.learning_rates import rate_read
from modelkb_callbacks.scanning.machine import Machine
from modelkb_callbacks.scanning.origins import PART
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.star_imports import starred_name
from modelkb_callbacks.scanning.statements import assign
from modelkb_callbacks.scanning.subscripts import element_of, elements_of
from modelkb_callbacks.scanning.values import (
    Argument,
    Arguments,
    Choice,
    Constant,
    External,
    Function,
    Item,
    Items,
    Mapping,
    Method,
    Opaque,
    Value,
    all_origins,
    origins_of,
)

_BUILTINS = frozenset(dir(builtins))
_MOST_ROUNDS = 32
_LONGEST_WHEN_TIRED = 32
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def _constant(machine: Machine, node: ast.Constant, scope: Scope) -> Value:
    return Constant(node.value)


def _name(machine: Machine, node: ast.Name, scope: Scope) -> Value:
    value = scope.find(node.id)
    if value is not None:
        return value
    if node.id == "__name__":
        return Constant("__main__")
    if node.id in _BUILTINS:
        return External(f"builtins.{node.id}")
    found = starred_name(node.id, scope.all_stars())
    return External(found) if found else Opaque(f"{node.id!r} is not defined in this source")


def _attribute(machine: Machine, node: ast.Attribute, scope: Scope) -> Value:
    return attribute_of(machine, machine.evaluate(node.value, scope), node.attr, node)


def _subscript(machine: Machine, node: ast.Subscript, scope: Scope) -> Value:
    owner = machine.evaluate(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        parts = [_bound(machine, each, scope) for each in _bounds(node.slice)]
        if isinstance(owner, (Constant, Items)) and all(part is not None for part in parts):
            return (
                operations.over_options(
                    (owner, *(part for part in parts if part is not None)),
                    lambda of, a, b, c: of[slice(a, b, c)],
                    "a slice",
                )
                if not isinstance(owner, Items) or owner.exact
                else owner
            )
        origins = origins_of(owner)
        return Opaque("a slice", origins | {PART} if origins else origins)
    key = machine.evaluate(node.slice, scope)
    if isinstance(owner, External) and isinstance(key, Constant):  # wandb.config["epochs"]
        known = machine.findings.set_outside.get(f"{owner.name}.{key.value}")
        if known is not None:
            return known
    return element_of(owner, key)


def _bounds(node: ast.Slice) -> list[ast.expr | None]:
    return [node.lower, node.upper, node.step]


def _bound(machine: Machine, node: ast.expr | None, scope: Scope) -> Constant | None:
    value = Constant(None) if node is None else machine.evaluate(node, scope)
    return value if isinstance(value, Constant) else None


def _binary(machine: Machine, node: ast.BinOp, scope: Scope) -> Value:
    left = rate_read(machine, machine.evaluate(node.left, scope))
    right = rate_read(machine, machine.evaluate(node.right, scope))
    if isinstance(node.op, ast.Div) and _is_path(left):  # pathlib: folder / "file"
        return operations.over_options((left, right), lambda a, b: f"{a}/{b}", "a path")
    return operations.binary(node, left, right)


def _is_path(value: Value) -> bool:
    return isinstance(value, Constant) and isinstance(value.value, str)


def _boolean(machine: Machine, node: ast.BoolOp, scope: Scope) -> Value:
    """`a or b`: the first value that decides, as far as it can be told."""
    stops = isinstance(node.op, ast.Or)
    possible: list[Value] = []
    for operand in node.values:
        value = machine.evaluate(operand, scope)
        truth = operations.truth_of(value)
        if truth is None or truth == stops or operand is node.values[-1]:
            possible.append(value)
        if truth == stops:
            break
    return join_all(possible)


def _compare(machine: Machine, node: ast.Compare, scope: Scope) -> Value:
    left = machine.evaluate(node.left, scope)
    results = []
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = machine.evaluate(comparator, scope)
        results.append(operations.truth_of(operations.compare(op, left, right)))
        left = right
    if False in results:
        return Constant(False)
    return Opaque("depends on a run") if None in results else Constant(True)


def _conditional(machine: Machine, node: ast.IfExp, scope: Scope) -> Value:
    truth = operations.truth_of(machine.evaluate(node.test, scope))
    if truth is None:
        machine.weak += 1
        body = machine.evaluate(node.body, scope)
        other = machine.evaluate(node.orelse, scope)
        machine.weak -= 1
        return join(body, other)
    with machine.shadowed(scope):
        machine.evaluate(node.orelse if truth else node.body, scope)
    return machine.evaluate(node.body if truth else node.orelse, scope)


def _is_data(machine: Machine, count: int) -> bool:
    """Return whether a literal is so long that it is data, and no setting."""
    return count > operations.MOST_ITEMS or (count > _LONGEST_WHEN_TIRED and machine.is_tired)


def _sequence(machine: Machine, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    kind = {ast.List: "list", ast.Tuple: "tuple"}.get(type(node), "set")
    made = Items(kind, [], birth=machine.birth)
    if _is_data(machine, len(node.elts)):
        made.exact = False
        return made
    for element in node.elts:
        if not isinstance(element, ast.Starred):
            made.items.append(Item(machine.evaluate(element, scope), element))
            continue
        spread = machine.evaluate(element.value, scope)
        for option in spread.options if isinstance(spread, Choice) else (spread,):
            made.items += elements_of(option, element) or [Item(option, element)]
        made.exact = made.exact and isinstance(spread, Items) and spread.exact
    if len(made.items) > operations.MOST_ITEMS:
        made.items, made.exact = made.items[: operations.MOST_ITEMS], False
    return made


def _dictionary(machine: Machine, node: ast.Dict, scope: Scope) -> Value:
    made = Mapping({}, birth=machine.birth)
    if _is_data(machine, len(node.keys)):
        made.exact = False
        return made
    for key, value in zip(node.keys, node.values, strict=True):
        found = machine.evaluate(value, scope)
        if key is not None:
            set_key(made, machine.evaluate(key, scope), found)
        elif isinstance(found, Mapping):
            made.items.update(found.items)
            made.exact = made.exact and found.exact
        else:
            made.exact = False
    return made


def set_key(mapping: Mapping, key: Value, value: Value) -> None:
    """Put a value under a key, if it is known."""
    if isinstance(key, Constant) and key.value.__hash__ is not None:
        mapping.items[key.value] = value
    else:
        mapping.exact = False


def _comprehension(machine: Machine, node: Comprehension, scope: Scope) -> Value:
    inner = Scope(parent=scope, place=scope.place)
    results: list[tuple[Value, Value]] = []
    exact = _rounds(machine, node, list(node.generators), inner, results)
    if isinstance(node, ast.DictComp):
        made = Mapping({}, exact, machine.birth)
        for key, value in results:
            set_key(made, key, value)
        return made
    kind = "set" if isinstance(node, ast.SetComp) else "list"
    items = [Item(value, node.elt) for _, value in results]
    return Items(kind, items, exact, machine.birth)


def _rounds(
    machine: Machine,
    node: Comprehension,
    generators: list[ast.comprehension],
    scope: Scope,
    results: list[tuple[Value, Value]],
) -> bool:
    """Evaluate a comprehension's element for each round that is known, else once."""
    if not generators:
        if isinstance(node, ast.DictComp):
            results.append((machine.evaluate(node.key, scope), machine.evaluate(node.value, scope)))
        else:
            results.append((Constant(None), machine.evaluate(node.elt, scope)))
        return True
    first, *others = generators
    iterable = machine.evaluate(first.iter, scope)
    items = elements_of(iterable, first.iter)
    exact = items is not None and isinstance(iterable, (Items, Mapping)) and iterable.exact
    if items is None or len(items) > _MOST_ROUNDS or machine.is_tired:
        exact = False
        one = join_all(item.value for item in items[:_MOST_ROUNDS]) if items else None
        items = [Item(one or Opaque("an element", origins_of(iterable)), first.iter)]
    for item in items:
        assign(machine, first.target, item.value, scope)
        truths = [operations.truth_of(machine.evaluate(test, scope)) for test in first.ifs]
        if False in truths:
            continue
        exact = _rounds(machine, node, others, scope, results) and exact and None not in truths
    return exact


def _call(machine: Machine, node: ast.Call, scope: Scope) -> Value:
    if isinstance(node.func, ast.Name) and node.func.id == "super":
        return _super(scope, node)
    function = machine.evaluate(node.func, scope)
    return call_value(machine, function, arguments_of(machine, node, scope), node, scope)


def _super(scope: Scope, node: ast.Call) -> Value:
    receiver = scope.find("self")
    return Method(receiver or Opaque("super()"), "super")


def arguments_of(machine: Machine, node: ast.Call, scope: Scope) -> Arguments:
    """Evaluate the arguments of a call; known lists and dictionaries are spread."""
    made = Arguments()
    for each in node.args:
        if not isinstance(each, ast.Starred):
            made.positional.append(Argument(machine.evaluate(each, scope), each))
            continue
        spread = machine.evaluate(each.value, scope)
        if isinstance(spread, Items) and spread.exact:
            made.positional += [Argument(item.value, each) for item in spread.items]
        else:
            made.rest = Argument(spread, each)
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, scope)
        if keyword.arg is not None:
            made.keywords[keyword.arg] = Argument(value, keyword.value)
        elif isinstance(value, Mapping):
            for key, item in value.items.items():
                made.keywords.setdefault(str(key), Argument(item, keyword.value))
            made.rest = made.rest if value.exact else Argument(value, keyword.value)
        else:
            made.rest = Argument(value, keyword.value)
    return made


def _lambda(machine: Machine, node: ast.Lambda, scope: Scope) -> Value:
    defaults = defaults_of(machine, node.args, scope)
    return Function(node, scope, "<lambda>", defaults)


def defaults_of(machine: Machine, node: ast.arguments, scope: Scope) -> dict[str, Value]:
    """Evaluate the defaults of a function's parameters."""
    positional = [*node.posonlyargs, *node.args]
    pairs: list[tuple[ast.arg, ast.expr | None]] = list(
        zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
    )
    pairs += zip(node.kwonlyargs, node.kw_defaults, strict=True)
    return {
        argument.arg: machine.evaluate(default, scope)
        for argument, default in pairs
        if default is not None
    }


def _formatted_text(machine: Machine, node: ast.JoinedStr, scope: Scope) -> Value:
    parts = [machine.evaluate(part, scope) for part in node.values]
    return operations.over_options(
        tuple(parts), lambda *texts: "".join(map(str, texts)), "a text put together in a run"
    )


def _formatted_part(machine: Machine, node: ast.FormattedValue, scope: Scope) -> Value:
    value = machine.evaluate(node.value, scope)
    form = Constant("") if node.format_spec is None else machine.evaluate(node.format_spec, scope)
    conversion = f"!{chr(node.conversion)}" if node.conversion > 0 else ""
    return operations.over_options(
        (value, form),
        lambda part, spec: operations.text_format(f"{{{conversion}:{spec}}}", [part], {}),
        "a text put together in a run",
    )


def _unary(machine: Machine, node: ast.UnaryOp, scope: Scope) -> Value:
    return operations.unary(node, machine.evaluate(node.operand, scope))


def _walrus(machine: Machine, node: ast.NamedExpr, scope: Scope) -> Value:
    value = machine.evaluate(node.value, scope)
    assign(machine, node.target, value, scope)
    return value


def _yield(machine: Machine, node: ast.Yield | ast.YieldFrom, scope: Scope) -> Value:
    if node.value is not None:
        machine.frames[-1].returns.append(machine.evaluate(node.value, scope))
    machine.frames[-1].is_generator = True
    return Opaque("what a generator is sent")


def _await(machine: Machine, node: ast.Await | ast.Starred, scope: Scope) -> Value:
    return machine.evaluate(node.value, scope)


def other_expression(machine: Machine, node: ast.expr, scope: Scope) -> Value:
    """Evaluate the parts of an expression that is of no interest itself."""
    parts = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
    origins = all_origins([machine.evaluate(part, scope) for part in parts])
    return Opaque("an expression that is not followed", origins)


HANDLERS: dict[type[ast.AST], Callable[[Machine, Any, Scope], Value]] = {
    ast.Attribute: _attribute,
    ast.Await: _await,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Dict: _dictionary,
    ast.DictComp: _comprehension,
    ast.FormattedValue: _formatted_part,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _conditional,
    ast.JoinedStr: _formatted_text,
    ast.Lambda: _lambda,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Set: _sequence,
    ast.SetComp: _comprehension,
    ast.Starred: _await,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
}
