"""Names that a definition takes from around it."""

from __future__ import annotations

import ast
import builtins

from modelkb_callbacks.slicing.bound_names import (
    bound_names,
    comprehension_names,
    local_names,
    outer_parts,
)

_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def free_names(node: ast.AST) -> set[str]:
    """Return the names that a statement or expression reads and doesn't bind itself."""
    found: set[str] = set()
    _visit(node, frozenset(), found)
    own = bound_names([node]) if isinstance(node, ast.stmt) else set()
    return {name for name in found - own if name not in _BUILTINS}


def _visit(node: ast.AST, local: frozenset[str], found: set[str]) -> None:
    if isinstance(node, ast.Name):
        if node.id not in local:
            found.add(node.id)
    elif isinstance(node, _FUNCTIONS):
        for part in outer_parts(node):
            _visit(part, local, found)
        inner = local | local_names(node)
        for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
            _visit(part, inner, found)
    elif isinstance(node, ast.ClassDef):
        for part in outer_parts(node):
            _visit(part, local, found)
        # Methods don't see what their class binds; to the class's own statements it is known.
        own = local | bound_names(node.body)
        for part in node.body:
            is_inner = isinstance(part, (*_FUNCTIONS, ast.ClassDef))
            _visit(part, local if is_inner else own, found)
    elif isinstance(node, _COMPREHENSIONS):
        _visit(node.generators[0].iter, local, found)
        inner = local | comprehension_names(node)
        for part in ast.iter_child_nodes(node):
            _visit(part, inner, found)
    else:
        for part in ast.iter_child_nodes(node):
            _visit(part, local, found)
