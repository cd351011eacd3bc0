"""The changes of names and words that a statement needs where it comes to stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from modelkb_callbacks.slicing.effects import Effects
from modelkb_callbacks.slicing.scope import Scope, Variable, scope_key
from modelkb_callbacks.slicing.text_edits import Edit, SourceText, end_of, start_of

_NAME_OF_DEFINITION = re.compile(r"\s*(?:async\s+)?(?:def|class)\s+")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Renaming:
    """Gives the edits by which names of many scopes become names of one."""

    def __init__(
        self, effects: Effects, names: Mapping[Variable, str], scopes: Mapping[int, Scope]
    ) -> None:
        self._effects = effects
        self._names = names
        self._scopes = scopes

    def new_name(self, node: ast.AST, name: str) -> str:
        """Return how a name in a node is spelled in the slice."""
        variable = self._effects.references.get((id(node), name), "")
        return self._names.get(variable, name)

    def edits(self, node: ast.AST, scope: Scope, text: SourceText) -> Iterator[Edit]:
        """Give the edits of a node and all that is inside of it."""
        stack = [node]
        while stack:
            each = stack.pop()
            if isinstance(each, ast.JoinedStr):
                # Python before 3.12 doesn't know the places of names inside.
                if any(self._changes(part) for part in ast.walk(each)):
                    yield Edit(start_of(each), end_of(each), self.unparsed(each))
                continue
            edit = self._edit(each, scope, text)
            if edit is not None:
                yield edit
            if not isinstance(each, ast.Attribute) or edit is None:
                stack += ast.iter_child_nodes(each)

    def unparsed(self, node: ast.AST) -> str:
        """Return a node's text with new names, written anew."""
        undo: list[Callable[[], None]] = []
        try:
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and self.new_name(each, each.id) != each.id:
                    undo.append(_restoring(each, each.id))
                    each.id = self.new_name(each, each.id)
                for name, value in ast.iter_fields(each):
                    if isinstance(value, ast.Attribute) and self._changes(value):
                        undo.append(_restoring_field(each, name, value))
                        setattr(each, name, ast.Name(self.new_name(value, value.attr), ast.Load()))
            return ast.unparse(node)
        finally:
            for restore in reversed(undo):
                restore()

    def _changes(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return self.new_name(node, node.id) != node.id
        return isinstance(node, ast.Attribute) and (id(node), node.attr) in self._effects.references

    def _edit(self, node: ast.AST, scope: Scope, text: SourceText) -> Edit | None:
        if id(node) in self._effects.removed:
            return Edit(start_of(node), end_of(node), "pass")
        if isinstance(node, ast.Name):
            return self._renamed(node, node.id, start_of(node))
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node, scope)
        if isinstance(node, _DEFINITIONS):
            before = _NAME_OF_DEFINITION.match(text.rest_of_line((node.lineno, node.col_offset)))
            column = node.col_offset + (before.end() if before else 0)
            return self._renamed(node, node.name, (node.lineno, column))
        if isinstance(node, ast.alias):
            name = node.asname or node.name
            new = self.new_name(node, name)
            return (
                Edit(start_of(node), end_of(node), f"{node.name} as {new}") if new != name else None
            )
        if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            line, column = end_of(node)
            return self._renamed(node, node.name, (line, column - len(node.name.encode())))
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return self._of_declaration(node)
        if isinstance(node, ast.Call) and scope.class_name and scope.own_object:
            func = node.func
            if isinstance(func, ast.Name) and func.id == "super" and not node.args:
                return Edit(start_of(node), end_of(node), self._super(scope))
        return None

    def _super(self, scope: Scope) -> str:
        variable = scope.variable(scope.own_object) or ""
        return f"super({scope.class_name}, {self._names.get(variable, scope.own_object)})"

    def _renamed(self, node: ast.AST, name: str, start: tuple[int, int]) -> Edit | None:
        new = self.new_name(node, name)
        if new == name:
            return None
        return Edit(start, (start[0], start[1] + len(name.encode())), new)

    def _of_attribute(self, node: ast.Attribute, scope: Scope) -> Edit | None:
        if (
            id(node),
            node.attr,
        ) in self._effects.references:  # `module.name` of a module that is put in
            return Edit(start_of(node), end_of(node), self.new_name(node, node.attr))
        if scope.class_name and node.attr.startswith("__") and not node.attr.endswith("__"):
            line, column = end_of(node)
            start = (line, column - len(node.attr.encode()))
            return Edit(start, end_of(node), f"_{scope.class_name.lstrip('_')}{node.attr}")
        return None

    def _of_declaration(self, node: ast.Global | ast.Nonlocal) -> Edit | None:
        variables = [self._effects.references.get((id(node), name), "") for name in node.names]
        outside = all(each and scope_key(each) in self._scopes for each in variables)
        names = [self.new_name(node, name) for name in node.names]
        if not outside or (isinstance(node, ast.Global) and names == node.names):
            return None
        return Edit(start_of(node), end_of(node), f"global {', '.join(names)}")


def _restoring(node: ast.Name, name: str) -> Callable[[], None]:
    return lambda: setattr(node, "id", name)


def _restoring_field(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)
