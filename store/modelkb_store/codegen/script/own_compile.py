"""The arguments of a `compile` of the user's own class, such as that of a GAN."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from modelkb_store.codegen.keras.own_model import own_value
from modelkb_store.codegen.keras.values import Speller
from modelkb_store.codegen.script.own_arguments import chosen_arguments
from modelkb_store.codegen.script.own_definitions import OwnDefinitions, parameters_of

_PREFIX = "compile."


def own_compile_keywords(
    method: ast.FunctionDef | ast.AsyncFunctionDef,
    usual: Sequence[ast.keyword],
    settings: Mapping[str, Any],
    definitions: OwnDefinitions,
    speller: Speller,
) -> tuple[list[ast.keyword], list[str]]:
    """Write the arguments that a class's own ``compile`` takes.

    Args:
        method: The method.
        usual: The arguments that Keras' ``compile`` got in the end.
        settings: The recorded settings of ``compile``.
        definitions: The user's own classes and functions.
        speller: Writes values.

    Returns:
        The arguments, and what is missing, for people.
    """
    names, required = parameters_of(method.args)
    passed = {each.arg: each for each in usual}
    given = {
        name.removeprefix(_PREFIX): value
        for name, value in settings.items()
        if name.startswith(_PREFIX)
    }
    own = [name for name in names if name not in passed]
    chosen, problems = chosen_arguments("compile: {} of its own", own, required, given)
    found = [passed[name] for name in names if name in passed]
    for name, value in chosen.items():
        written = own_value(speller, value, f"compile: {name}", definitions.names)
        found.append(ast.keyword(name, written))
    if method.args.kwarg is not None:
        said = {*names, *_said_to_keras(method)}
        found += [each for each in usual if each.arg not in said]
    return found, problems


def _said_to_keras(method: ast.AST) -> set[str]:
    """Return the arguments that a method gives to Keras' ``compile`` by itself."""
    found: set[str] = set()
    for node in ast.walk(method):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and node.func.attr == "compile":  # type: ignore[attr-defined]
            found |= {each.arg for each in node.keywords if each.arg is not None}  # type: ignore[attr-defined]
            found |= set(("optimizer", "loss")[: len(node.args)])  # type: ignore[attr-defined]
    return found
