"""Pieces of Python as syntax trees: a pattern of ours, and values that were checked."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any, Final

OMIT: Final = object()
"""An argument that is not written, as it is what the function takes anyway."""


def code(pattern: str, **parts: Any) -> ast.expr:
    """Return an expression of a pattern.

    Args:
        pattern: Python; never a text of the user's.
        parts: What to put in the place of names in it: expressions or plain values.

    Example:
        >>> ast.unparse(code("F.pad(x, padding)", x=ast.Name("y"), padding=(0, 1)))
        'F.pad(y, (0, 1))'
    """
    expression = ast.parse(pattern, mode="eval").body
    filling = _Filling({name: literal(part) for name, part in parts.items()})
    filled: ast.expr = filling.visit(expression)
    return filled


def call(function: str | ast.expr, *args: Any, **kwargs: Any) -> ast.Call:
    """Return a call, without the arguments that are `OMIT`.

    Args:
        function: A dotted name of ours, or an expression.
        args: Expressions or plain values.
        kwargs: The same by name.
    """
    if isinstance(function, str):
        function = ast.parse(function, mode="eval").body
    keywords = [
        ast.keyword(name, literal(value)) for name, value in kwargs.items() if value is not OMIT
    ]
    return ast.Call(function, [literal(each) for each in args if each is not OMIT], keywords)


def literal(value: Any) -> ast.expr:
    """Return a value as an expression; what is one already stays.

    Raises:
        TypeError: It is neither an expression nor plain.
    """
    if isinstance(value, ast.expr):
        return value
    if value is None or isinstance(value, (bool, str)):
        return ast.Constant(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, tuple):
        return ast.Tuple([literal(each) for each in value])
    if isinstance(value, list):
        return ast.List([literal(each) for each in value])
    raise TypeError(f"a {type(value).__name__} is no plain value")


def unless(value: Any, default: Any) -> Any:
    """Return a value, or `OMIT` where it is the default."""
    return OMIT if value == default else value


def name(text: str) -> ast.Name:
    """Return a variable; the text is an identifier of ours."""
    if not text.isidentifier():
        raise ValueError(f"{text!r} is no identifier")
    return ast.Name(text)


def _number(value: float) -> ast.expr:
    if isinstance(value, float) and not math.isfinite(value):
        return ast.parse(f"float('{value}')", mode="eval").body
    if value < 0 or (value == 0 and math.copysign(1, value) < 0):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


class _Filling(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, parts: Mapping[str, ast.expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.parts.get(node.id, node)
