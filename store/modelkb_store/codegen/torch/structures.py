"""Inputs and outputs of models: a tensor, or lists and dictionaries of these."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.network.network import TensorRef
from modelkb_store.codegen.torch.code import literal


def is_plain(structure: Any) -> bool:
    """Return whether a structure is a tensor or a list of tensors."""
    return isinstance(structure, TensorRef) or (
        isinstance(structure, list) and all(isinstance(each, TensorRef) for each in structure)
    )


def flat(structure: Any) -> Iterator[TensorRef]:
    """Walk the tensors as Keras flattens a structure: dictionaries by their sorted keys."""
    if isinstance(structure, TensorRef):
        yield structure
    elif isinstance(structure, Mapping):
        for key in sorted(structure):
            yield from flat(structure[key])
    else:
        for each in structure:
            yield from flat(each)


def paths(structure: Any) -> Iterator[tuple[int | str, ...]]:
    """Walk the indices and keys that lead to the tensors, in the same order."""
    if isinstance(structure, TensorRef):
        yield ()
    elif isinstance(structure, Mapping):
        for key in sorted(structure):
            yield from ((str(key), *rest) for rest in paths(structure[key]))
    else:
        for index, each in enumerate(structure):
            yield from ((index, *rest) for rest in paths(each))


def at(whole: ast.expr, path: tuple[int | str, ...]) -> ast.expr:
    """Return the expression of a tensor in a structure."""
    expression = whole
    for index in path:
        expression = ast.Subscript(expression, literal(index))
    return expression


def rebuilt(structure: Any, nodes: Iterator[ast.expr]) -> ast.expr:
    """Return a structure with expressions in the place of its tensors."""
    if isinstance(structure, TensorRef):
        return next(nodes)
    if isinstance(structure, Mapping):
        made = {key: rebuilt(structure[key], nodes) for key in sorted(structure)}
        keys: list[ast.expr | None] = [literal(str(key)) for key in made]
        return ast.Dict(keys, list(made.values()))
    return ast.List([rebuilt(each, nodes) for each in structure])
