"""Cutting statements out of a source, with changes of single names in them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

Place = tuple[int, int]  # line from 1, column in bytes from 0, as in a syntax tree


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of source to be replaced."""

    start: Place
    end: Place
    text: str


class SourceText:
    """The text of a source, by the places of its syntax tree."""

    def __init__(self, text: str) -> None:
        self._lines = [line.encode() for line in text.split("\n")]

    def cut(self, start: Place, end: Place, edits: Iterable[Edit] = ()) -> str:
        """Return the text between two places, edited."""
        parts: list[bytes] = []
        at = start
        for edit in sorted(edits, key=lambda each: (each.start, each.end)):
            if edit.start < at or edit.end > end:
                continue  # inside of another one
            parts += [self._between(at, edit.start), edit.text.encode()]
            at = edit.end
        parts.append(self._between(at, end))
        return b"".join(parts).decode(errors="replace")

    def indentation(self, line: int) -> str:
        """Return the white space that a line begins with."""
        text = self._lines[line - 1]
        return text[: len(text) - len(text.lstrip())].decode()

    def rest_of_line(self, place: Place) -> str:
        """Return what stands behind a place in its line."""
        return self._lines[place[0] - 1][place[1] :].decode(errors="replace")

    def _between(self, start: Place, end: Place) -> bytes:
        if start[0] == end[0]:
            return self._lines[start[0] - 1][start[1] : end[1]]
        first = self._lines[start[0] - 1][start[1] :]
        last = self._lines[end[0] - 1][: end[1]]
        return b"\n".join([first, *self._lines[start[0] : end[0] - 1], last])


def start_of(node: ast.AST) -> Place:
    """Return where a node begins, with the ``@`` of its first decorator."""
    decorators = getattr(node, "decorator_list", None)
    if decorators:
        return decorators[0].lineno, max(decorators[0].col_offset - 1, 0)
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def end_of(node: ast.AST) -> Place:
    """Return where a node ends."""
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]


def lines_inside_texts(node: ast.AST) -> set[int]:
    """Return the lines that begin inside of a literal, and so must not be indented."""
    inside: set[int] = set()
    for each in ast.walk(node):
        if isinstance(each, (ast.Constant, ast.JoinedStr)) and each.end_lineno != each.lineno:
            inside.update(range(each.lineno + 1, (each.end_lineno or 0) + 1))
    return inside
