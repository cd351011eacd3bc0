"""The imports of a script: those of the recorded statements, and those of the generator."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from modelkb_store.codegen.script.inert_statements import is_inert

_FUTURE = "__future__"
_OWN = {
    "base64": "import base64",
    "json": "import json",
    "keras": "import keras",
    "layers": "from keras import layers",
    "np": "import numpy as np",
    "ops": "from keras import ops",
    "os": "import os",
    "Path": "from pathlib import Path",
    "random": "import random",
    "sys": "import sys",
    "tf": "import tensorflow as tf",
    "torch": "import torch",
}
# What a program does to these can decide what a later import finds.
_IMPORT_SETTINGS = {"os": ("environ", "putenv", "chdir"), "sys": ("path", "modules", "argv")}


class Imports:
    """Collects imports.

    Args:
        taken: Names that mean something in the recorded statements.
    """

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._bound: dict[str, str] = {}
        self._texts: list[str] = []
        self.has_future = False

    def add_recorded(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Take the imports of a program that can stand at the top of the script.

        Returns:
            Those that were taken, to be left out where they were.
        """
        for statement in statements:
            self._bound.update(_bindings(statement))
        movable = list(_movable(statements))
        for statement in movable:
            if isinstance(statement, ast.ImportFrom) and statement.module == _FUTURE:
                self.has_future = True
            else:
                self._texts += [ast.unparse(each) for each in _one_by_one(statement)]
        return movable

    def name_of(self, wanted: str) -> str:
        """Return the name of something that the generator's own code needs, and import it.

        Args:
            wanted: One of the usual names, such as ``keras``, ``layers`` or ``np``.
        """
        text = _OWN[wanted]
        for name, bound in self._bound.items():
            if bound == text and name == wanted:
                self._add(text)
                return name
        if wanted not in self._taken:
            self._bound[wanted] = text
            self._add(text)
            return wanted
        prefix = "keras_" if text.startswith("from keras ") else "own_"
        name = f"{prefix}{wanted}"
        while name in self._taken:
            name += "_"
        aliased = f"{text.partition(' as ')[0]} as {name}"
        self._bound[name] = aliased
        self._add(aliased)
        return name

    def text(self, used: Collection[str], *, without: str = "") -> str:
        """Return all imports, one a line, unsorted.

        Args:
            used: The names that the script uses. An import of none of them is there for what it
                does, and is marked so.
            without: An import that stands elsewhere.
        """
        lines = []
        for text in dict.fromkeys(each for each in self._texts if each != without):
            bound = _bindings(ast.parse(text).body[0])
            is_used = not bound or any(name in used for name in bound)
            lines.append(text if is_used else f"{text}  # noqa: F401")
        return "\n".join(lines)

    def import_of(self, name: str) -> str:
        """Return the import that gives a name."""
        return self._bound[name]

    def _add(self, text: str) -> None:
        if text not in self._texts:
            self._texts.append(text)


def modules_in(program: str) -> list[str]:
    """Return the names of the top-level modules that a program imports, sorted."""
    found = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return sorted(found - {_FUTURE})


def _bindings(statement: ast.stmt) -> dict[str, str]:
    """Return the names that an import gives, with the import of each by itself."""
    if isinstance(statement, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: ast.unparse(ast.Import([alias]))
            for alias in statement.names
        }
    if isinstance(statement, ast.ImportFrom):
        return {
            alias.asname or alias.name: ast.unparse(
                ast.ImportFrom(statement.module, [alias], statement.level)
            )
            for alias in statement.names
            if alias.name != "*"
        }
    return {}


def _one_by_one(statement: ast.stmt) -> list[ast.stmt]:
    """Return ``import a, b`` as two imports, so that one of them can be left out."""
    if isinstance(statement, ast.Import):
        return [ast.Import([alias]) for alias in statement.names]
    return [statement]


def _movable(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement
        elif not is_inert(statement) and _sets_what_imports_find(statement):
            return


def _sets_what_imports_find(statement: ast.stmt) -> bool:
    for node in ast.walk(statement):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.attr in _IMPORT_SETTINGS.get(node.value.id, ()):
            return True
    return False
