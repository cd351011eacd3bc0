"""How many lines code takes when it is formatted."""

from __future__ import annotations

import ast

_WIDTH = 88
_INDENT = 4
_TARGET = len("x = ")


def lines_of_statement(expression: ast.expr, target: int = _TARGET) -> int:
    """Estimate the lines of a statement in the body of a function.

    Args:
        expression: What is evaluated.
        target: The length of what it is assigned to.
    """
    text = len(ast.unparse(expression))
    room = _WIDTH - _INDENT - target
    if text <= room:
        return 1
    calls = [node for node in ast.walk(expression) if isinstance(node, ast.Call)]
    if not calls:
        return -(-text // room)
    longest = max(calls, key=lambda call: len(call.args) + len(call.keywords))
    arguments = [*longest.args, *(each.value for each in longest.keywords)]
    names = sum(len(each.arg or "") + 1 for each in longest.keywords)
    lengths = [len(ast.unparse(each)) for each in arguments]
    inside = sum(lengths) + names + 2 * len(arguments)
    if inside <= _WIDTH - 2 * _INDENT:
        return 3
    return 2 + sum(lines_of_length(length) for length in lengths)


def lines_of_length(length: int) -> int:
    """Estimate the lines of a text that can be broken anywhere."""
    return max(1, -(-length // (_WIDTH - 3 * _INDENT)))


def lines_of_arguments(head: int, lengths: list[int]) -> int:
    """Estimate the lines of a call, from the lengths of its head and of its arguments."""
    total = sum(lengths)
    if head + total <= _WIDTH - _INDENT:
        return 1
    return 3 if total <= _WIDTH - 2 * _INDENT else 2 + len(lengths)


def lines_of_rows(lengths: list[int]) -> int:
    """Estimate the lines of a `for` over a list, from the lengths of its items."""
    total = sum(lengths) + 2 * len(lengths)
    if total <= _WIDTH - _INDENT - len("for filters in []:"):
        return 1
    # ruff writes one item a line.
    return 2 + len(lengths)
