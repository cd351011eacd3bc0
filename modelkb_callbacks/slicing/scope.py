"""Scopes of names, and what a name in them stands for."""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Iterable

from modelkb_callbacks.slicing.bound_names import imported_name
from modelkb_callbacks.source_code import SourceCode

Variable = str  # one name of one scope, "12:x_train"; the same import anywhere is "import:np=numpy"

_BUILTINS = frozenset(dir(builtins))
_STAR = "*"
_IMPORT = "import:"


class Scope:
    """A module, a function whose body becomes part of the slice, or a scope inside a statement.

    Attributes:
        names: What is bound in it.
        parent: Where a name is looked up next; None for a module.
        source: The source that it is written in.
        title: A word that tells its names from others of the same spelling.
        own_object: The parameter that a method calls its object by, ``self``.
        class_name: The class that a method belongs to.
        declared: Names of it that functions inside rebind by ``global`` or ``nonlocal``.
        links: Names that stand for another scope's variable.
        modules: Names that stand for a whole module of the user's.
        dotted: What imported names stand for: ``np`` is ``numpy``.
        stars: Modules of the user's from which everything is imported.
        has_star: Whether everything is imported from some library.
        has_walrus: Whether there may be ``:=`` in its source.
        is_class: Whether it is the body of a class, whose names its methods don't see.
    """

    __slots__ = (
        "class_name", "declared", "dotted", "has_star", "has_walrus", "is_class", "key", "links",
        "modules", "names", "own_object", "parent", "source", "stars", "title",
    )  # fmt: skip
    _keys = itertools.count()

    def __init__(
        self,
        names: Iterable[str],
        parent: Scope | None,
        source: SourceCode,
        title: str = "",
    ) -> None:
        self.key = next(self._keys)
        self.names = names if isinstance(names, (set, frozenset)) else set(names)
        self.parent = parent
        self.source = source
        self.title = title
        self.own_object = ""
        self.class_name = ""
        self.declared: set[str] = set()
        self.links: dict[str, Variable] = {}
        self.modules: dict[str, Scope] = {}
        self.dotted: dict[str, str] = {}
        self.stars: list[Scope] = []
        self.has_star = False
        self.is_class = False
        self.has_walrus: bool = parent.has_walrus if parent else ":=" in source.text

    @property
    def module(self) -> Scope:
        """The module that this scope is in."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def holder(self, name: str) -> Scope | None:
        """Return the scope that binds a name as seen from here."""
        scope: Scope | None = self
        while scope is not None:
            hidden = scope.is_class and scope is not self
            if not hidden and (name in scope.names or name in scope.links or name in scope.modules):
                return scope
            last, scope = scope, scope.parent
        for star in last.stars:
            if name in star.names:
                return star.holder(name)
        return None

    def variable(self, name: str) -> Variable | None:
        """Return what a name stands for; None for a built-in one."""
        holder = self.holder(name)
        if holder is not None:
            return holder.links.get(name) or f"{holder.key}:{name}"
        if name in _BUILTINS:
            return None
        module = self.module
        return f"{module.key}:{_STAR}" if module.has_star else None

    def own_object_named(self, name: str) -> bool:
        """Return whether a name is a method's own object, ``self``, as seen from here."""
        holder = self.holder(name)
        return holder is not None and holder.own_object == name

    def own_variable(self) -> Variable:
        """Return the object of the method that this scope is in; an empty text for none."""
        scope: Scope | None = self
        while scope is not None:
            if scope.own_object:
                return scope.variable(scope.own_object) or ""
            scope = scope.parent
        return ""

    def star(self) -> Variable:
        """Return the variable for whatever a star import of a library brings."""
        return f"{self.module.key}:{_STAR}"

    def user_module(self, name: str) -> Scope | None:
        """Return the user's module that a name stands for, if it does."""
        holder = self.holder(name)
        return None if holder is None else holder.modules.get(name)

    def dotted_name(self, node: ast.expr) -> str:
        """Return the full name of what was imported: ``numpy.random.seed``; else an empty text."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        holder = self.holder(node.id)
        root = "" if holder is None else holder.dotted.get(node.id, "")
        return ".".join([root, *reversed(names)]) if root else ""


def name_of(variable: Variable) -> str:
    """Return the name that a variable has in its own scope."""
    rest = variable.partition(":")[2]
    return rest.partition("=")[0] if variable.startswith(_IMPORT) else rest


def scope_key(variable: Variable) -> int:
    """Return the key of a variable's scope; -1 for imports, which all scopes share."""
    key = variable.partition(":")[0]
    return int(key) if key.isdigit() else -1


def is_star(variable: Variable) -> bool:
    """Return whether a variable stands for what a star import brings."""
    return variable.endswith(f":{_STAR}")


def import_variable(alias: ast.alias, module: str | None) -> tuple[Variable, str]:
    """Return the variable that an import from a library binds, and what it stands for."""
    name = imported_name(alias)
    if module is not None:
        dotted = f"{module}.{alias.name}"
    else:
        dotted = alias.name if alias.asname else name
    return f"{_IMPORT}{name}={dotted}", dotted


def is_import(variable: Variable) -> bool:
    """Return whether a variable is bound by imports only."""
    return variable.startswith(_IMPORT)
