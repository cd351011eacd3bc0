"""Functions and classes of our own that generated code may need, as its templates have them."""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
_FILES = ("padding", "modules", "attention", "recurrent", "loading")


def pieces(names: Collection[str]) -> list[str]:
    """Return the source of some pieces and of all that these need, in a fixed order.

    Args:
        names: Names of functions and classes that stand in the templates.
    """
    known, needed, pending = _known(), set(), list(names)
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            nodes = ast.walk(ast.parse(known[name]))
            pending += [n.id for n in nodes if isinstance(n, ast.Name) and n.id in known]
    return [text for name, text in known.items() if name in needed]


@cache
def _known() -> dict[str, str]:
    found = {}
    for file in _FILES:
        text = (TEMPLATES / f"{file}.py.j2").read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[node.name] = ast.get_source_segment(text, node) or ""
    return found


def piece_names() -> frozenset[str]:
    """Return the names of all pieces."""
    return frozenset(_known())
