"""The user's modules of a program, each with its scope, and what is imported between them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from modelkb_callbacks.slicing.bound_names import bound_names, imported_name, imports_of
from modelkb_callbacks.slicing.module_finder import ModuleFinder
from modelkb_callbacks.slicing.program import Node, Program
from modelkb_callbacks.slicing.scope import Scope, Variable, import_variable
from modelkb_callbacks.source_code import SourceCode

Convert = Callable[[Iterable[ast.AST], Scope], list[Node]]


class ModuleTable:
    """Makes the scopes of modules and resolves imports among them."""

    def __init__(self, program: Program, finder: ModuleFinder, convert: Convert) -> None:
        self._program = program
        self._finder = finder
        self._convert = convert
        self._scopes: dict[tuple[object, ...], Scope] = {}

    def scope(self, source: SourceCode, *, whole: bool) -> Scope:
        """Return a module's scope.

        Args:
            source: Its source.
            whole: Whether it was run to its end, so that all of it belongs to the program.
        """
        key = (source.path, source.name, len(source.text), hash(source.text))
        known = self._scopes.get(key)
        if known is not None:
            return known
        names = bound_names(source.tree.body, walrus=":=" in source.text)
        declared = _declared(source)
        names |= declared
        title = source.path.stem if source.path else "notebook"
        scope = self._scopes[key] = Scope(names, None, source, title)
        scope.declared = declared
        self._program.scopes[scope.key] = scope
        self.link_imports(source.tree.body, scope)
        if whole:
            body = [node for node in source.tree.body if not is_main_guard(node)]
            self._program.modules.append(self._convert(body, scope))
        return scope

    def link_imports(self, body: Iterable[ast.AST], scope: Scope) -> None:
        """Note what the names that a block imports stand for."""
        imports, otherwise = imports_of(body, walrus=scope.has_walrus)
        seen: dict[str, Variable] = {}
        for node in imports:
            if self.resolve(node, scope):
                continue
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if isinstance(node, ast.ImportFrom) and (node.level or not module):
                continue
            for alias in node.names:
                name = imported_name(alias)
                if alias.name == "*" or name in scope.modules or name in scope.links:
                    continue
                variable, _ = import_variable(alias, module)
                if seen.setdefault(name, variable) != variable:
                    otherwise.add(name)
        for name, variable in seen.items():
            if name not in otherwise:
                scope.links[name] = variable

    def resolve(self, node: ast.AST, scope: Scope) -> bool:
        """Note what an import brings into a scope.

        Returns:
            Whether all of it comes from modules of the user's.
        """
        if isinstance(node, ast.Import):
            found = [self._resolve_module(alias, scope) for alias in node.names]
            return all(found)
        if not isinstance(node, ast.ImportFrom):
            return False
        importer = scope.source.path
        source = self._finder.find(node.module or "", node.level, importer)
        module = self.scope(source, whole=True) if source is not None else None
        found = []
        for alias in node.names:
            if alias.name == "*":
                found.append(self._resolve_star(module, scope))
                continue
            name = imported_name(alias)
            if module is not None and module.holder(alias.name) is not None:
                self._link(module, alias.name, name, scope)
                found.append(True)
                continue
            part = f"{node.module}.{alias.name}" if node.module else alias.name
            inner = None
            if module is not None or node.level:
                inner = self._finder.find(part, node.level, importer)
            if inner is not None:
                scope.modules[name] = self.scope(inner, whole=True)
            else:
                scope.dotted.setdefault(name, part)
            found.append(inner is not None)
        return all(found)

    @staticmethod
    def _link(module: Scope, name: str, as_name: str, scope: Scope) -> None:
        holder = module.holder(name)
        if holder is None:
            return
        if name in holder.modules:
            scope.modules[as_name] = holder.modules[name]
            return
        scope.links[as_name] = holder.variable(name) or ""
        if name in holder.dotted:
            scope.dotted[as_name] = holder.dotted[name]

    def _resolve_module(self, alias: ast.alias, scope: Scope) -> bool:
        name = imported_name(alias)
        source = self._finder.find(alias.name, 0, scope.source.path)
        if source is None:
            scope.dotted.setdefault(name, alias.name if alias.asname else name)
            return False
        module = self.scope(source, whole=True)
        if alias.asname or "." not in alias.name:
            scope.modules[name] = module
            return True
        scope.dotted.setdefault(name, name)
        self._program.add_problem(f"`import {alias.name}` is a module of yours that is not put in")
        return False

    @staticmethod
    def _resolve_star(module: Scope | None, scope: Scope) -> bool:
        if module is None:
            scope.module.has_star = True
            return False
        if module not in scope.module.stars and module is not scope.module:
            scope.module.stars.append(module)
            scope.module.has_star |= module.has_star
        return True


def is_main_guard(node: ast.AST) -> bool:
    """Return whether a statement is ``if __name__ == "__main__":``."""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    left = node.test.left
    return isinstance(left, ast.Name) and left.id == "__name__"


def _declared(source: SourceCode) -> set[str]:
    if "global " not in source.text:
        return set()
    found = (each for each in ast.walk(source.tree) if isinstance(each, ast.Global))
    return {name for each in found for name in each.names}
