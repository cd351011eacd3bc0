"""Which environment variables a piece of Python reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_ENVIRONMENT = "os.environ"
_WORDS = ("environ", "getenv")
_READERS = ("os.getenv", "os.environ.get", "os.environ.setdefault", "os.environ.pop")


@dataclass(frozen=True, slots=True)
class EnvironmentReads:
    """What is read of the environment.

    Attributes:
        names: The variables that are read by constant names, in the order of the source.
        has_others: Whether more may be read, by names that only a run knows.
    """

    names: tuple[str, ...]
    has_others: bool


def environment_reads(text: str) -> EnvironmentReads:
    """Find the environment variables that Python source reads.

    Raises:
        SyntaxError: It has a word of the environment, and is no Python.

    Example:
        >>> environment_reads("import os; os.getenv('ROWS', '3')").names
        ('ROWS',)
    """
    # Names of other letters may be these in Python's eyes.
    if text.isascii() and not any(word in text for word in _WORDS):
        return EnvironmentReads((), has_others=False)
    tree = ast.parse(text)
    meanings = dict(_imported(tree))
    names: list[str] = []
    seen: set[int] = set()  # mentions of the environment that are accounted for
    has_others = False
    for node in ast.walk(tree):
        found, place = _mention(node, meanings)
        if found is None:
            continue
        seen.update(id(each) for each in ast.walk(found))
        if isinstance(place, ast.Constant) and isinstance(place.value, str):
            names.append(place.value)
        elif place is not None:
            has_others = True
    for node in ast.walk(tree):
        is_left = id(node) not in seen and isinstance(node, (ast.Name, ast.Attribute))
        has_others |= is_left and _dotted(node, meanings) in (_ENVIRONMENT, "os.getenv")
    return EnvironmentReads(tuple(dict.fromkeys(names)), has_others)


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Give what names of `os` and of its parts stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.asname or "os", "os") for each in node.names if each.name == "os")
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from ((each.asname or each.name, f"os.{each.name}") for each in node.names)


def _mention(node: ast.AST, meanings: dict[str, str]) -> tuple[ast.expr | None, ast.expr | None]:
    """Return where a node has the environment, and the name that it reads of it.

    There is no name where it does not read: ``os.environ["ROWS"] = "3"``.
    """
    if isinstance(node, ast.Subscript) and _dotted(node.value, meanings) == _ENVIRONMENT:
        return node.value, node.slice if isinstance(node.ctx, ast.Load) else None
    if isinstance(node, ast.Call) and _dotted(node.func, meanings) in _READERS:
        named = [each.value for each in node.keywords if each.arg == "key"]
        return node.func, next(iter([*node.args, *named]), None)
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        whole = node.comparators[0]
        if _dotted(whole, meanings) == _ENVIRONMENT:
            return whole, node.left
    return None, None


def _dotted(node: ast.AST, meanings: dict[str, str]) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    root = meanings.get(node.id, "") if isinstance(node, ast.Name) else ""
    return ".".join([root, *reversed(names)]) if root else ""
