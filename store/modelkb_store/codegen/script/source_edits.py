"""Changing a program's text at the places of its statements; all else stays as it was written."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping


class SourceEdits:
    """Collects changes of a text, and makes them all at once.

    Args:
        text: Python whose statements begin and end lines of their own.
    """

    def __init__(self, text: str) -> None:
        self._lines = python_lines(text)
        self._changes: list[tuple[int, int, str]] = []

    def replace(self, statement: ast.stmt, text: str) -> None:
        """Put other statements in the place of one, indented as it is."""
        first, last = lines_of(statement)
        self._changes.append((first - 1, last, _indented(text, statement)))

    def remove(self, statement: ast.stmt) -> None:
        """Take a statement out; its block must keep another one."""
        self.replace(statement, "")

    def insert_after(self, statement: ast.stmt, text: str) -> None:
        """Put further statements behind one."""
        _, last = lines_of(statement)
        self._changes.append((last, last, _indented(text, statement)))

    def result(self) -> str:
        """Return the changed text."""
        lines = list(self._lines)
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        for start, end, text in sorted(self._changes, reverse=True):
            lines[start:end] = [text] if text else []
        return "".join(lines)


def python_lines(text: str) -> list[str]:
    """Return the lines of a program with their ends, as Python counts them.

    ``str.splitlines`` also ends lines at characters that may stand in a string, such as U+2028.
    """
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def lines_of(statement: ast.stmt) -> tuple[int, int]:
    """Return the first and the last line of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(each.lineno for each in decorators)])
    return first, statement.end_lineno or statement.lineno


def source_of(text: str, statements: Iterable[ast.stmt]) -> str:
    """Return the lines of some statements."""
    lines = python_lines(text)
    found = []
    for statement in statements:
        first, last = lines_of(statement)
        found.append("".join(lines[first - 1 : last]).rstrip("\n"))
    return "\n".join(found)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return a program of ours with other names for what it uses and defines at its top level.

    Local variables and attributes must not have these names.
    """
    if not names or not any(name in text for name in names):
        return text
    lines = [line.encode() for line in python_lines(text)]
    for node in sorted(_named(ast.parse(text), names), key=_place, reverse=True):
        line, column = _place(node)
        content = lines[line - 1]
        old = node.id if isinstance(node, ast.Name) else node.name
        if not isinstance(node, ast.Name):
            match = re.compile(rb"(?:def|class)\s+").match(content, column)
            column = match.end() if match else column
        end = column + len(old.encode())
        lines[line - 1] = content[:column] + names[old].encode() + content[end:]
    return b"".join(lines).decode()


def names_in(*texts: str) -> set[str]:
    """Return every name that occurs in some programs, in any sense but as an attribute."""
    found: set[str] = set()
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            found |= set(_names_of(node))
    return found


def _names_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name


def _named(
    tree: ast.Module, names: Collection[str]
) -> Iterator[ast.Name | ast.FunctionDef | ast.ClassDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name in names:
                yield node
        elif isinstance(node, ast.Name) and node.id in names:
            yield node


def _place(node: ast.Name | ast.FunctionDef | ast.ClassDef) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _indented(text: str, statement: ast.stmt) -> str:
    if not text:
        return ""
    prefix = " " * statement.col_offset
    lines = "".join(prefix + line if line.strip() else line for line in python_lines(text))
    return lines if lines.endswith("\n") else f"{lines}\n"
