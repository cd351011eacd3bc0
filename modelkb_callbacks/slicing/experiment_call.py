"""The call ``experiment(model)`` at the head of a block that is recorded."""

from __future__ import annotations

import ast

from modelkb_callbacks.slicing.scope import Scope

_EXPERIMENT = "modelkb_callbacks.experiment"


def is_experiment(node: ast.AST | None, scope: Scope) -> bool:
    """Return whether an expression is a call of ModelKB's ``experiment``."""
    if not isinstance(node, ast.Call):
        return False
    dotted = scope.dotted_name(node.func)
    if not dotted and isinstance(node.func, ast.Name) and scope.module.has_star:
        return node.func.id == "experiment" and scope.holder("experiment") is None
    return dotted == _EXPERIMENT


def model_of_experiment(call: ast.Call) -> ast.expr | None:
    """Return the name, or the attribute of one, that is given as the model, if it is one."""
    given = call.args[0] if call.args else None
    given = given or next((each.value for each in call.keywords if each.arg == "model"), None)
    name = given
    while isinstance(name, ast.Attribute):
        name = name.value
    return given if isinstance(name, ast.Name) else None


def only_records(node: ast.AST, scope: Scope) -> bool:
    """Return whether a ``with`` statement does nothing but record."""
    items = getattr(node, "items", ())
    return bool(items) and all(is_experiment(each.context_expr, scope) for each in items)
