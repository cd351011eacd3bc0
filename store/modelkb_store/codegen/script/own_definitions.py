"""The source of the user's classes and functions, as far as the generator must know it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


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
            None where the class has none of its own, or takes whatever is given.
        """
        node = self.classes.get(name)
        methods = [] if node is None else [m for m in node.body if isinstance(m, _FUNCTIONS)]
        for method in methods:
            if method.name == "__init__":
                return _parameters(method.args)
        return None


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


def _parameters(arguments: ast.arguments) -> tuple[list[str], set[str]]:
    positional = [each.arg for each in [*arguments.posonlyargs, *arguments.args]][1:]
    without_default = positional[: max(0, len(positional) - len(arguments.defaults))]
    keyword_only = [each.arg for each in arguments.kwonlyargs]
    needed = {
        name
        for name, default in zip(keyword_only, arguments.kw_defaults, strict=True)
        if default is None
    }
    return [*positional, *keyword_only], needed | set(without_default)
