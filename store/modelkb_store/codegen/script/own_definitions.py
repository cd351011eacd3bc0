"""The source of the user's classes and functions, as far as the generator must know it."""

from __future__ import annotations

import ast
import contextlib
from dataclasses import dataclass, field
from typing import Any

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Constructor:
    """What the constructor of a class takes.

    Attributes:
        parameters: Their names.
        required: Those that must be given.
        defaults: Those of the others that are literals.
        takes_more: Whether it takes any further names.
    """

    parameters: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    defaults: dict[str, Any] = field(default_factory=dict)
    takes_more: bool = True


@dataclass(frozen=True, slots=True)
class OwnDefinitions:
    """What a text of definitions defines.

    Attributes:
        text: The text.
        tree: The same, parsed.
        classes: Its classes by name.
        functions: The names of its functions.
    """

    text: str
    tree: ast.Module
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The names of its classes and functions."""
        return self.functions | set(self.classes)

    def constructor(self, name: str) -> tuple[list[str], set[str]] | None:
        """Return the parameters of a class's constructor, and those that must be given.

        Returns:
            None where the class has none that is known, or takes whatever is given.
        """
        arguments = self._constructor_arguments(name)
        return None if arguments is None else parameters_of(arguments)

    def constructor_of(self, name: str) -> Constructor | None:
        """Return what a class's constructor takes: anything if none is known.

        Returns:
            None where there is no such class.
        """
        if name not in self.classes:
            return None
        arguments = self._constructor_arguments(name)
        if arguments is None:
            return Constructor()
        parameters, required = parameters_of(arguments)
        return Constructor(
            parameters=tuple(parameters),
            required=frozenset(required),
            defaults=_literal_defaults(arguments),
            takes_more=arguments.kwarg is not None,
        )

    def keeps(self, name: str, parameter: str) -> bool:
        """Return whether a class has an attribute of a parameter's name, as the recorder reads."""
        return any(
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and node.attr in (parameter, f"_{parameter}")
            for level in self._lineage(name)[0]
            for node in ast.walk(level)
        )

    def method(self, name: str, method: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Return a method of a class, or of one above it that is defined here."""
        for node in self._lineage(name)[0]:
            for each in node.body:
                if isinstance(each, _FUNCTIONS) and each.name == method:
                    return each
        return None

    def other_bases(self, name: str) -> list[str]:
        """Return the classes above a class that are defined elsewhere, as they are spelled."""
        return self._lineage(name)[1]

    def _lineage(self, name: str) -> tuple[list[ast.ClassDef], list[str]]:
        found: list[ast.ClassDef] = []
        others: list[str] = []
        pending = [name]
        while pending:
            node = self.classes.get(pending.pop(0))
            if node is None or node in found:
                continue
            found.append(node)
            for base in map(ast.unparse, node.bases):
                (pending if base in self.classes else others).append(base)
        return found, others

    def _constructor_arguments(self, name: str) -> ast.arguments | None:
        method = self.method(name, "__init__")
        return None if method is None else method.args


def parse_definitions(text: str) -> OwnDefinitions:
    """Find what a text defines at its top level.

    Raises:
        SyntaxError: It is no Python of this version.
    """
    tree = ast.parse(text)
    return OwnDefinitions(
        text,
        tree,
        {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)},
        frozenset(each.name for each in tree.body if isinstance(each, _FUNCTIONS)),
    )


def _literal_defaults(arguments: ast.arguments) -> dict[str, Any]:
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    pairs: list[tuple[ast.arg, ast.expr | None]] = [
        *zip(last, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    found = {}
    for parameter, default in pairs:
        if default is not None:
            with contextlib.suppress(ValueError, TypeError, SyntaxError):
                found[parameter.arg] = ast.literal_eval(default)
    return found


def parameters_of(arguments: ast.arguments) -> tuple[list[str], set[str]]:
    """Return what a method takes beside its object, and what of that must be given."""
    positional = [each.arg for each in [*arguments.posonlyargs, *arguments.args]][1:]
    without_default = positional[: max(0, len(positional) - len(arguments.defaults))]
    keyword_only = [each.arg for each in arguments.kwonlyargs]
    needed = {
        name
        for name, default in zip(keyword_only, arguments.kw_defaults, strict=True)
        if default is None
    }
    return [*positional, *keyword_only], needed | set(without_default)
