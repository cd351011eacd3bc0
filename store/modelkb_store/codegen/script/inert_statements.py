"""Statements that only name things: they can stand anywhere before what uses them."""

from __future__ import annotations

import ast
import re
from collections import Counter

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_inert(statement: ast.stmt) -> bool:
    """Return whether a statement draws no random number and changes nothing but its names."""
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)):
        return True
    if isinstance(statement, _DEFINITIONS):
        return not isinstance(statement, ast.ClassDef) and not statement.decorator_list
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return assigned_literal(statement) is not None


def assigned_literal(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return name and value of an assignment ``NAME = literal``, else None."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return None
    if not isinstance(target, ast.Name) or not _is_literal(value):
        return None
    return target.id, value


def constants_of(tree: ast.Module) -> list[ast.stmt]:
    """Return the constants of a program: literals in capitals, which nothing changes."""
    bound = Counter(_bound_names(tree))
    found = []
    for statement in tree.body:
        assigned = assigned_literal(statement)
        if assigned and _CONSTANT.fullmatch(assigned[0]) and bound[assigned[0]] == 1:
            found.append(statement)
    return found


def _bound_names(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.append(node.id)
        elif isinstance(node, ast.Global):
            found += node.names
        elif isinstance(node, ast.alias):
            found.append(node.asname or node.name)
        elif isinstance(node, _DEFINITIONS):
            found.append(node.name)
    return found


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
