"""Operators on known values, within bounds: a source may ask for 9**9**9."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from itertools import product
from typing import Any

from modelkb_callbacks.scanning.joining import join_all, options_of
from modelkb_callbacks.scanning.origins import changed
from modelkb_callbacks.scanning.values import (
    Choice,
    Constant,
    Item,
    Items,
    Mapping,
    Opaque,
    Value,
    all_origins,
    plain,
)

_LARGEST_NUMBER = 2**64
_LONGEST = 10_000
_MOST_COMBINATIONS = 8
_MOST_ELEMENTS = 256
MOST_ITEMS = 2000  # of a list that is followed; `rows += rows` in a loop has no end

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: lambda a, b: a is b or (type(a) is type(b) and a == b),
    ast.IsNot: lambda a, b: not (a is b or (type(a) is type(b) and a == b)),
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def binary(node: ast.BinOp | ast.AugAssign, left: Value, right: Value) -> Value:
    """Return what ``left op right`` is."""
    if isinstance(left, Items) and isinstance(node.op, ast.Add):
        return _added(left, right)
    if isinstance(left, Items) and isinstance(node.op, ast.Mult):
        return _repeated(left, right, node)
    if isinstance(left, Mapping) and isinstance(right, Mapping) and isinstance(node.op, ast.BitOr):
        return Mapping(left.items | right.items, left.exact and right.exact)
    return over_options((left, right), lambda a, b: _of_constants(node, a, b), "computed")


def over_options(values: tuple[Value, ...], compute: Callable[..., Any], reason: str) -> Value:
    """Compute with constants, and once for each where a value is one of several.

    Args:
        values: What to compute with.
        compute: Gets Python values; what it raises makes the result unknown.
        reason: Why the result is unknown if a value is.
    """
    choices = [options_of(value) for value in values]
    count = 1
    for options in choices:
        count *= len(options)
    known = all(
        isinstance(each, (Constant, Items, Mapping)) for options in choices for each in options
    )
    if count > _MOST_COMBINATIONS or not known:
        return _unknown(values, reason)
    results: list[Value] = []
    for combination in product(*choices):
        try:
            results.append(value_of(compute(*(plain(each) for each in combination))))
        except Exception:  # noqa: BLE001 (the user's operands, of whatever kind)
            return _unknown(values, reason)
    return join_all(results)


def _unknown(values: tuple[Value, ...], reason: str) -> Opaque:
    for value in values:
        if isinstance(value, Opaque):
            reason = value.reason
        elif isinstance(value, Choice):
            reason = "depends on one of several values"
    return Opaque(reason, changed(all_origins(values)))


def value_of(result: Any) -> Value:
    """Return a Python value as a known value.

    Raises:
        ValueError: It is too large, or of no kind that is followed.
    """
    if result is None or isinstance(result, (bool, float, complex)) or result is Ellipsis:
        return Constant(result)
    if isinstance(result, int):
        if abs(result) > _LARGEST_NUMBER:
            raise ValueError("too large")
        return Constant(result)
    if isinstance(result, (str, bytes)):
        if len(result) > _LONGEST:
            raise ValueError("too long")
        return Constant(result)
    if isinstance(result, (list, tuple)) and len(result) <= _MOST_ELEMENTS:
        kind = "tuple" if isinstance(result, tuple) else "list"
        # One node each: elements that were computed stand in no one place.
        return Items(kind, [Item(value_of(each), ast.Pass()) for each in result])
    if isinstance(result, dict) and len(result) <= _MOST_ELEMENTS:
        return Mapping({key: value_of(each) for key, each in result.items()})
    raise ValueError("of another kind")


def _of_constants(node: ast.BinOp | ast.AugAssign, left: Any, right: Any) -> Any:
    kind = type(node.op)
    if kind is ast.Pow:
        _check_power(left, right)
    if kind is ast.LShift and right > 64:
        raise ValueError("too large")
    if kind is ast.Mult and _length(left) * _length(right) > _LONGEST:
        raise ValueError("too long")
    if kind is ast.Mod and isinstance(left, (str, bytes)):
        return _formatted(left, right)
    return BINARY[kind](left, right)


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int):
        if exponent > 64 and abs(base) > 1:
            raise ValueError("too large")
        if abs(base) > 2**20 and exponent > 4:
            raise ValueError("too large")


def _length(value: Any) -> int:
    if isinstance(value, (str, bytes, list, tuple)):
        return max(len(value), 1)
    return min(abs(value), _LONGEST + 1) if isinstance(value, int) else 1


def _formatted(text: Any, values: Any) -> Any:
    # "%999999999d" asks for a gigabyte.
    if any(len(digits) > 3 for digits in _digits(str(text))):
        raise ValueError("too long")
    return text % values


def _digits(text: str) -> list[str]:
    return "".join(each if each.isdigit() else " " for each in text).split()


def text_format(text: str, positional: list[Any], keywords: dict[str, Any]) -> str:
    """Return ``text.format(...)`` of constants.

    Raises:
        ValueError: It would be long.
    """
    if any(len(digits) > 3 for digits in _digits(text)):
        raise ValueError("too long")
    return text.format(*positional, **keywords)


def unary(node: ast.UnaryOp, value: Value) -> Value:
    """Return what ``op value`` is."""
    if isinstance(node.op, ast.Not):
        truth = truth_of(value)
        return Opaque("depends on a run") if truth is None else Constant(not truth)
    return over_options((value,), _UNARY[type(node.op)], "computed")


def compare(op: ast.cmpop, left: Value, right: Value) -> Value:
    """Return what ``left op right`` is."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        is_none = _is_none(left, right)
        if is_none is not None:
            return Constant(is_none == isinstance(op, ast.Is))
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, Mapping) and right.exact:
        right = value_of([key for key in right.items if isinstance(key, (str, int))])
    return over_options((left, right), _COMPARE[type(op)], "compared")


def _is_none(left: Value, right: Value) -> bool | None:
    """Return whether a value is None, if the other one is None and it can be told."""
    if not (isinstance(right, Constant) and right.value is None):
        return None
    if isinstance(left, Constant):
        return left.value is None
    return None if isinstance(left, (Opaque, Choice)) else False


def truth_of(value: Value) -> bool | None:
    """Return whether a value is true, None if only a run can tell."""
    if isinstance(value, Constant):
        return bool(value.value)
    if isinstance(value, (Items, Mapping)):
        return bool(value.items) if value.exact else None
    if isinstance(value, Choice):
        truths = {truth_of(option) for option in value.options}
        return truths.pop() if len(truths) == 1 else None
    return None if isinstance(value, Opaque) else _truth_of_object(value)


def _truth_of_object(value: Value) -> bool | None:
    # An attribute or a function of a library may be anything.
    return True if type(value).__name__ in ("Function", "Class", "Network", "Made") else None


def _added(left: Items, right: Value) -> Value:
    if isinstance(right, Items):
        items = [*left.items, *right.items]
        exact = left.exact and right.exact and len(items) <= MOST_ITEMS
        return Items(left.kind, items[:MOST_ITEMS], exact)
    origins = all_origins((left, right))
    return Opaque("a list and something unknown", origins)


def _repeated(left: Items, right: Value, node: ast.AST) -> Value:
    if isinstance(right, Constant) and isinstance(right.value, int):
        count = max(right.value, 0)
        if count * len(left.items) <= _MOST_ELEMENTS:
            return Items(left.kind, left.items * count, left.exact)
    return Items(left.kind, left.items, False)
