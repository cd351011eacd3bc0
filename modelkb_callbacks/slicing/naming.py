"""Choosing names, now that variables of many scopes come to stand in one."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterable, Mapping

from modelkb_callbacks.slicing.scope import Scope, Variable, is_star, name_of, scope_key

FIT_DATA = "fit_data"
EVALUATE_DATA = "evaluate_data"
EXPERIMENT_MODEL = "experiment_model"


def choose_names(
    variables: Iterable[Variable],
    scopes: Mapping[int, Scope],
    taken: set[str],
    reserved: Iterable[str] = (FIT_DATA,),
) -> dict[Variable, str]:
    """Return a name for each variable: its own where that is free.

    Args:
        variables: Those that occur in the slice.
        scopes: All scopes by their keys, the outermost first.
        taken: Names that occur in the slice in any sense; no new name is one of them.
        reserved: Names that the slice itself gives.
    """
    order = {key: number for number, key in enumerate(scopes)}
    used = set(reserved)
    names: dict[Variable, str] = {}
    for variable in sorted(
        set(variables), key=lambda each: (order.get(scope_key(each), -1), name_of(each))
    ):
        if is_star(variable):
            continue
        scope = scopes.get(scope_key(variable))
        name = name_of(variable)
        is_inner = scope is not None and scope.parent is not None
        if name in used or (is_inner and hasattr(builtins, name)):
            name = _free_name(name, scope.title if scope else "other", used | taken)
        used.add(name)
        names[variable] = name
    return names


def evaluate_name(number: int) -> str:
    """Return what names the data of an evaluation, by its number from 0."""
    return f"{EVALUATE_DATA}_{number + 1}" if number else EVALUATE_DATA


def identifiers(nodes: Iterable[ast.AST]) -> set[str]:
    """Return all names that occur in some syntax."""
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}


def _free_name(name: str, title: str, used: set[str]) -> str:
    prefix = "".join(each if each.isalnum() else "_" for each in title).strip("_") or "inner"
    prefix = prefix if not prefix[0].isdigit() else f"_{prefix}"
    base = f"{prefix}_{name.lstrip('_')}"
    candidate, number = base, 2
    while candidate in used or keyword.iskeyword(candidate):
        candidate, number = f"{base}_{number}", number + 1
    return candidate
