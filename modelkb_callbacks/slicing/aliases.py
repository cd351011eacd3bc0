"""Which variables may share memory, so that a change of one is a change of the other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from modelkb_callbacks.slicing.effects import Path
from modelkb_callbacks.slicing.scope import Scope, Variable

# Methods whose object then holds what they were given.
_TAKING_METHODS = frozenset({"append", "extend", "add", "insert", "appendleft", "update"})

Roots = Callable[[ast.expr, Scope], set[Path]]


class Aliases:
    """Groups of variables, grown by assignments wherever they stand."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._groups: dict[Path, set[Path]] = {}
        self._attributes: dict[Variable, set[Path]] = {}

    def group(self, path: Path) -> set[Path]:
        """Return all that may share memory with a variable, itself included."""
        variable, attribute = path
        found = self._groups.get(path) or {path}
        if attribute:
            # Whatever shares the object shares its attribute.
            whole = self._groups.get((variable, ""), ())
            return found | {(each, part or attribute) for each, part in whole}
        for each in self._attributes.get(variable, ()):
            found = found | self._groups[each]
        return found

    def join(self, paths: Iterable[Path]) -> None:
        """Note that some variables may share memory."""
        joined: set[Path] = set()
        for path in paths:
            joined |= self._groups.get(path) or {path}
        if len(joined) > 1:
            for path in joined:
                self._groups[path] = joined
                if path[1]:
                    self._attributes.setdefault(path[0], set()).add(path)

    def join_value(self, targets: Iterable[Path], value: ast.expr, scope: Scope) -> None:
        """Note that variables are given a value."""
        sources = self._roots(value, scope)
        if sources:
            self.join([*targets, *sources])

    def read(self, node: ast.AST, scope: Scope) -> None:
        """Note what a statement, without statements inside of it, assigns to what."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value, scope)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, node.value, scope)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._assign(node.target, node.iter, scope)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, item.context_expr, scope)
        elif isinstance(node, ast.NamedExpr):
            self._assign(node.target, node.value, scope)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._hand_over(node.value, scope)

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        pairs = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        if pairs and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]
            for one, other in zip(target.elts, value.elts, strict=True):  # type: ignore[attr-defined]
                self._assign(one, other, scope)
            return
        sources = self._roots(value, scope)
        if sources:
            self.join(sources | self._roots(target, scope))

    def _hand_over(self, call: ast.Call, scope: Scope) -> None:
        """Note that `parts.append(x)` makes `x` a part of `parts`."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _TAKING_METHODS:
            return
        values = [path for each in call.args for path in self._roots(each, scope)]
        if values:
            self.join([*values, *self._roots(call.func.value, scope)])
