"""Finding in a syntax tree what a frame is at: its function, its statement, its call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelkb_callbacks.slicing.frame_location import FrameLocation, Position

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class CallSite:
    """Where a frame stands.

    Attributes:
        parents: The definitions around its function, outermost first.
        function: Its function; None at the top level of a module.
        path: The statements from the function's own body down to the one that runs.
        call: The call that runs; None if it could not be told.
    """

    parents: tuple[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, ...]
    function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None
    path: tuple[ast.AST, ...]
    call: ast.Call | None


def find_call_site(frame: FrameLocation, callees: Iterable[str]) -> CallSite | None:
    """Find what a frame is at.

    Args:
        frame: The frame.
        callees: Names of what it calls; they decide where a line holds several calls.

    Returns:
        None if the source doesn't hold the function or no statement at the line, as when a
        file was changed after it was loaded.
    """
    around: list[_Definition | ast.Lambda] = []
    if not frame.is_module:
        around = _definitions_down_to(frame)
        if not around:
            return None
    function = around[-1] if around else None
    if isinstance(function, ast.Lambda):
        call = _call_in([function.body], frame, frozenset(callees))
        parents = tuple(each for each in around[:-1] if isinstance(each, _DEFINITIONS))
        return CallSite(parents, function, (), call)
    if isinstance(function, ast.ClassDef):  # `fit` in the body of a class
        return None
    body = frame.source.tree.body if function is None else function.body
    path = tuple(_path(body, frame.line))
    if not path or any(isinstance(each, _DEFINITIONS) for each in path[:-1]):
        return None  # the line is another function's
    call = _call_in(_own_expressions(path[-1]), frame, frozenset(callees))
    parents = tuple(each for each in around[:-1] if isinstance(each, _DEFINITIONS))
    return CallSite(parents, function, path, call)


def first_line(node: ast.AST) -> int:
    """Return the line where a statement begins, with its decorators."""
    decorators = getattr(node, "decorator_list", ())
    return min([node.lineno, *(each.lineno for each in decorators)])  # type: ignore[attr-defined, no-any-return]


def blocks_of(node: ast.AST) -> Iterator[list[ast.AST]]:
    """Give the lists of statements (or handlers, cases) that a statement holds."""
    for name in _BLOCKS:
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _definitions_down_to(frame: FrameLocation) -> list[_Definition | ast.Lambda]:
    """Return the definitions from the top level down to the frame's function."""
    around: list[_Definition | ast.Lambda] = []
    block: list[ast.AST] = list(frame.source.tree.body)
    while True:
        inside = [each for each in block if _spans(each, frame.first_line)]
        if not inside:
            return []
        node = inside[-1]
        if isinstance(node, _DEFINITIONS):
            around.append(node)
            starts_here = frame.first_line in (node.lineno, first_line(node))
            if starts_here and node.name == frame.function:
                return around
        if frame.function == "<lambda>":
            found = _lambda(node, frame)
            if found is not None:
                return [*around, found]
        block = [each for part in blocks_of(node) for each in part]


def _lambda(node: ast.AST, frame: FrameLocation) -> ast.Lambda | None:
    if any(_spans(each, frame.line) for block in blocks_of(node) for each in block):
        return None
    lambdas = [each for each in ast.walk(node) if isinstance(each, ast.Lambda)]
    lambdas = [each for each in lambdas if each.lineno == frame.first_line]
    return lambdas[0] if len(lambdas) == 1 else None


def _path(block: list[ast.stmt], line: int) -> Iterator[ast.AST]:
    nodes: list[ast.AST] = list(block)
    while True:
        inside = [each for each in nodes if _spans(each, line)]
        if not inside:
            return
        yield inside[-1]
        nodes = [each for part in blocks_of(inside[-1]) for each in part]


def _spans(node: ast.AST, line: int) -> bool:
    if isinstance(node, ast.match_case):
        last = node.body[-1].end_lineno or 0
        return node.pattern.lineno <= line <= last
    end: int = getattr(node, "end_lineno", None) or 0
    return first_line(node) <= line <= end


def _own_expressions(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a statement that are no statements themselves."""
    inner = [each for block in blocks_of(node) for each in block]
    return [each for each in ast.iter_child_nodes(node) if each not in inner]


def _call_in(
    parts: list[ast.AST], frame: FrameLocation, callees: frozenset[str]
) -> ast.Call | None:
    calls = [each for part in parts for each in ast.walk(part) if isinstance(each, ast.Call)]
    if frame.position is not None:
        exact = [each for each in calls if _is_at(each, frame.position)]
        if exact:
            return exact[0]
    calls = [each for each in calls if each.lineno <= frame.line <= (each.end_lineno or 0)]
    named = [each for each in calls if called_name(each) in callees]
    choice = named or (calls if len(calls) == 1 else [])
    # The innermost one: the others wait for it.
    return min(choice, key=_extent) if choice else None


def _is_at(call: ast.Call, position: Position) -> bool:
    # A chain of methods over several lines is said to begin where its last name stands.
    ends = (call.end_lineno, call.end_col_offset) == (position.end_line, position.end_column)
    return ends and call.lineno <= position.line


def _extent(call: ast.Call) -> tuple[int, int]:
    lines = (call.end_lineno or 0) - call.lineno
    return lines, (call.end_col_offset or 0) - call.col_offset


def called_name(call: ast.Call) -> str:
    """Return the last name of what is called: ``fit`` of ``model.fit()``."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
