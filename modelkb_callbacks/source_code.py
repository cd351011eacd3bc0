"""Python source as it is read, never run: scripts, notebooks, the cells of a live session."""

from __future__ import annotations

import ast
import codecs
import functools
import io
import os
import threading
import tokenize
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelkb_callbacks.notebook_cells import code_cells, without_cell_magic, without_magics
from modelkb_callbacks.python_2 import without_old_statements
from modelkb_store.errors import SourceNotFoundError

_LARGEST_SOURCE = 1 << 20  # characters; what is larger was not written by a person
# What pages and word processors put into code that is copied from them.
_INVISIBLE = {0xA0: " ", 0x3000: " ", 0x200B: None, 0x2060: None, 0xFEFF: None, 0: None}


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A part of a source that could not be read.

    Attributes:
        line: Its first line.
        reason: What is wrong with it.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SourceCode:
    """Python source and its syntax tree.

    Attributes:
        name: File name without folders, or ``<source>``, ``<notebook>``.
        path: The file; None for a text and for a live notebook.
        text: The Python text; the cells of a notebook one after another, and a comment or
            ``pass`` where a line was no Python. Lines of :attr:`tree` are those of this text.
        tree: Its syntax tree; of what could be parsed.
        problems: What could not.
        cells: First line of each cell; empty for what is no notebook.
    """

    name: str
    path: Path | None
    text: str
    tree: ast.Module
    problems: tuple[SourceProblem, ...] = ()
    cells: tuple[int, ...] = ()

    def location(self, line: int) -> str:
        """Return a line for people: ``train.py:12``, or with a cell, each counted from 1."""
        cell = sum(first <= line for first in self.cells)
        if not cell:
            return f"{self.name}:{line}"
        return f"{self.name}, cell {cell}, line {line - self.cells[cell - 1] + 1}"


def read_source(path_or_source: str | os.PathLike[str]) -> SourceCode:
    r"""Read a script, a notebook, or a text of Python.

    Args:
        path_or_source: A path object, or a text. A text of one line that names an existing
            file, or ends with ``.py`` or ``.ipynb``, is a path.

    Raises:
        SourceNotFoundError: There is no such file.

    Example:
        >>> read_source("x = 1\\n").tree.body[0].targets[0].id
        'x'
    """
    if isinstance(path_or_source, str) and not _names_a_file(path_or_source):
        return source_of_text(path_or_source, "<source>", None)
    path = Path(path_or_source)
    try:
        text = _decode(path.read_bytes())
    except OSError as error:
        raise SourceNotFoundError(path) from error
    if path.suffix == ".ipynb":
        return _from_notebook(text, path)
    return source_of_text(text, path.name, path)


def _names_a_file(text: str) -> bool:
    if "\n" in text or len(text) > 4096 or not text.strip():
        return False
    try:
        return text.endswith((".py", ".ipynb")) or os.path.isfile(text)
    except ValueError:  # a null character
        return False


def _decode(content: bytes) -> str:
    """Decode as Python does, by the file's own word; what is wrong in it becomes a mark."""
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _with_one_newline(content.decode("utf-16", errors="replace"))
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "utf-8"
    return _with_one_newline(content.decode(encoding, errors="replace"))


def _with_one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_notebook(text: str, path: Path) -> SourceCode:
    try:
        cells = code_cells(text)
    except ValueError as error:
        problem = SourceProblem(1, f"not a notebook: {error}")
        return SourceCode(path.name, path, "", ast.Module([], []), (problem,))
    return source_of_cells(cells, path.name, path)


def source_of_cells(cells: Sequence[str | None], name: str, path: Path | None) -> SourceCode:
    """Parse cell by cell, so that a broken one takes no other with it.

    Args:
        cells: Their texts, as they were typed; None for one that is malformed.
        name: What to call the notebook.
        path: Its file, if it has one.
    """
    texts: list[str] = []
    problems: list[SourceProblem] = []
    firsts: list[int] = []
    line = 1
    for cell in cells:
        if cell is None:
            problems.append(SourceProblem(line, "a cell that is malformed"))
        text, _, found = _parsable(without_cell_magic(cell or "").rstrip("\n") + "\n")
        problems += [SourceProblem(line + each.line - 1, each.reason) for each in found]
        firsts.append(line)
        texts.append(text)
        line += text.count("\n")
    source = source_of_text("".join(texts), name, path)
    return replace(source, problems=(*problems, *source.problems), cells=tuple(firsts))


def source_of_text(text: str, name: str, path: Path | None) -> SourceCode:
    """Parse a text; see :class:`SourceCode` for the arguments."""
    if len(text) > _LARGEST_SOURCE:
        problem = SourceProblem(1, f"longer than {_LARGEST_SOURCE:,} characters")
        return SourceCode(name, path, "", ast.Module([], []), (problem,))
    text, tree, problems = _parsable(text)
    return SourceCode(name, path, text, tree, tuple(problems))


def _parsable(text: str) -> tuple[str, ast.Module, list[SourceProblem]]:
    """Return a text of the same lines that parses, its tree, and what was taken out of it."""
    tree = _parse(text)
    if isinstance(tree, ast.Module):
        return text, tree, []
    problems = _null_characters(text)
    text = without_magics(text.translate(_INVISIBLE))
    tree = _parse(text)
    if isinstance(tree, ast.Module):
        return text, tree, problems
    text, taken_out = without_old_statements(text)
    problems += [SourceProblem(line, reason) for line, reason in taken_out]
    tree = _parse(text)
    if isinstance(tree, ast.Module):
        return text, tree, problems
    return _whole_blocks(text, problems)


def _null_characters(text: str) -> list[SourceProblem]:
    at = text.find("\0")
    if at < 0:
        return []
    return [SourceProblem(text.count("\n", 0, at) + 1, "null characters, which are left out")]


def _whole_blocks(
    text: str, problems: list[SourceProblem]
) -> tuple[str, ast.Module, list[SourceProblem]]:
    """Keep the top-level statements that parse; comments stand for the others."""
    kept: list[str] = []
    for block in _top_level_blocks(text.split("\n")):
        tree = _parse("\n".join(block))
        if isinstance(tree, ast.Module):
            kept += block
            continue
        problems.append(SourceProblem(len(kept) + tree.line, tree.reason))
        kept += [f"# {line}" if line.strip() else "" for line in block]
    whole = "\n".join(kept)
    tree = _parse(whole)
    if isinstance(tree, ast.Module):
        return whole, tree, sorted(problems, key=lambda each: each.line)
    return "\n" * whole.count("\n"), ast.Module([], []), [*problems, tree]


def _top_level_blocks(lines: list[str]) -> Iterable[list[str]]:
    block: list[str] = []
    for line in lines:
        starts = line[:1] not in ("", " ", "\t", "#", ")", "]", "}")
        goes_on = line.startswith(("else", "elif", "except", "finally"))
        decorated = bool(block) and block[-1].startswith("@")
        if starts and not goes_on and not decorated and block:
            yield block
            block = []
        block.append(line)
    yield block


def _parse(text: str) -> ast.Module | SourceProblem:
    # By thread: the slicer changes a tree for a moment.
    return _parse_in(threading.get_ident(), text)


# A further run of a process reads the same sources again.
@functools.lru_cache(maxsize=32)
def _parse_in(thread: int, text: str) -> ast.Module | SourceProblem:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the user's source: "invalid escape sequence"
            return ast.parse(text)
    except SyntaxError as error:
        return SourceProblem(error.lineno or 1, f"does not parse: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return SourceProblem(1, f"does not parse: {error}")
