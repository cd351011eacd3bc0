"""Expressions with holes: where a variable or a constant stands, another one can stand."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

# What is in these is evaluated later, or where other names count: it stays as it is.
_CLOSED = (
    *(ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr),
    *(ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom),
)
_CONTAINERS = (ast.Tuple, ast.List, ast.Set, ast.Starred)
_HOLES = (str, bytes, bool, int, float, complex, type(None))


class HoleFinder:
    """Finds the holes of an expression, always in the same order.

    Args:
        variables: The variables that are values; other names belong to the shape.
        parameter_names: Gives the name of a function's parameter by its place.
    """

    def __init__(
        self, variables: Collection[str], parameter_names: Callable[[str, int], str | None]
    ) -> None:
        self._variables = variables
        self._parameter_names = parameter_names
        self.names: list[str] = []
        self.constants: list[object] = []
        self.roles: list[str | None] = []
        self.free: set[str] = set()

    def shape(self, node: ast.AST, role: str | None = None) -> object:
        """Return what is left of an expression without what is in its holes."""
        if isinstance(node, _CLOSED):
            self._look_into(node)
            return ast.dump(node)
        if isinstance(node, ast.Name):
            if node.id in self._variables:
                self.names.append(node.id)
                return "value"
            self.free.add(node.id)
            return "name", node.id
        value = constant(node)
        if value is not None:
            self.constants.append(value[0])
            self.roles.append(role)
            return "constant"
        if isinstance(node, ast.Call):
            return self._call(node)
        inner = role if isinstance(node, _CONTAINERS) else None
        return type(node).__name__, tuple(
            self._field(each, inner) for name, each in ast.iter_fields(node) if name != "ctx"
        )

    def _call(self, node: ast.Call) -> object:
        function = self.shape(node.func)
        place_of = (
            ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""
        )
        args = tuple(
            self.shape(each, self._parameter_names(place_of, place) if place_of else None)
            for place, each in enumerate(node.args)
        )
        keywords = tuple((each.arg, self.shape(each.value, each.arg)) for each in node.keywords)
        return "call", function, args, keywords

    def _field(self, value: Any, role: str | None) -> object:
        if isinstance(value, ast.AST):
            return self.shape(value, role)
        if isinstance(value, list):
            return tuple(self._field(each, role) for each in value)
        return type(value).__name__, repr(value)

    def _look_into(self, node: ast.AST) -> None:
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                (self.names.append if each.id in self._variables else self.free.add)(each.id)
            elif isinstance(each, ast.arg):
                self.free.add(each.arg)


def constant(node: ast.AST) -> tuple[object] | None:
    """Return the constant that a node is, in a tuple; None if it is no constant."""
    if isinstance(node, ast.Constant) and isinstance(node.value, _HOLES):
        return (node.value,)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = node.operand
        if isinstance(inner, ast.Constant) and type(inner.value) in (int, float):
            number = inner.value
            assert isinstance(number, (int, float))
            if math.copysign(1, number) > 0 and not (number == 0 and isinstance(number, int)):
                return (-number,)
    return None


def spelled(value: Any) -> ast.expr:
    """Return a constant as an expression; a number below zero with its sign before it."""
    if type(value) in (int, float) and math.copysign(1, value) < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def has_own_names(expression: ast.expr, variables: Collection[str]) -> bool:
    """Return whether values are used in it where they are looked up later, or are hidden."""
    for node in ast.walk(expression):
        if isinstance(node, _CLOSED):
            for each in ast.walk(node):
                if isinstance(each, ast.NamedExpr):
                    return True
                name = getattr(each, "id", None) or getattr(each, "arg", None)
                if isinstance(each, (ast.Name, ast.arg)) and name in variables:
                    return True
    return False


def fill(
    node: ast.expr, names: Sequence[str], constants: Sequence[ast.expr], variables: Collection[str]
) -> ast.expr:
    """Return an expression with other things in its holes.

    Args:
        node: The expression in which the holes were found.
        names: The variables for its holes, in order.
        constants: The constants, in order.
        variables: The variables that were values when the holes were found.
    """
    filled: ast.expr = _Filler(iter(names), iter(constants), variables).expression(node)
    return filled


class _Filler:
    def __init__(
        self,
        names: Iterator[str],
        constants: Iterator[ast.expr],
        variables: Collection[str],
    ) -> None:
        self._names, self._constants, self._variables = names, constants, variables

    def expression(self, node: ast.AST) -> Any:
        if isinstance(node, _CLOSED):
            return copy.deepcopy(node)
        if isinstance(node, ast.Name):
            if node.id in self._variables:
                return ast.Name(next(self._names), ast.Load())
            return ast.Name(node.id, ast.Load())
        if constant(node) is not None:
            return next(self._constants)
        fields: Mapping[str, Any] = dict(ast.iter_fields(node))
        if isinstance(node, ast.Call):  # in the order of `HoleFinder`
            fields = {name: fields[name] for name in ("func", "args", "keywords")}
        new = type(node)(**{name: self._field(value) for name, value in fields.items()})
        if "ctx" in type(node)._fields:
            new.ctx = ast.Load()  # type: ignore[attr-defined]
        return new

    def _field(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._field(each) for each in value]
        return self.expression(value) if isinstance(value, ast.AST) else value
