"""What arguments and functions are called, by what Keras calls them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from modelkb_store.codegen.keras import api

_TITLES = {"Add": "residual_block", "Concatenate": "concat_block", "Multiply": "gated_block"}


def argument_role(function: str, place: int) -> str | None:
    """Return the name of a positional argument of a class of Keras.

    Example:
        >>> argument_role("layers.Conv2D", 0)
        'filters'
    """
    described = api.find_class("keras", function.rpartition(".")[2])
    if described is None or described.spelling != function:
        return None
    return described.parameters[place] if place < len(described.parameters) else None


def function_title(statements: Sequence[ast.stmt]) -> str:
    """Return a name for a function that makes layers, by what joins them, or by the first."""
    names = [
        node.attr
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "layers"
    ]
    for joining, title in _TITLES.items():
        if joining in names:
            return title
    return "conv_block" if any("Conv" in name for name in names) else "block"
