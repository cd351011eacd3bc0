"""Names of variables as people choose them: `x` for what flows on, others for what is kept.

A program that is written from a graph has a variable for every value. Two of them can have one
name if the first is not needed any more when the second is assigned.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

FLOWING = "x"


@dataclass(slots=True)
class Wishes:
    """What variables would like to be called.

    Attributes:
        always: Whatever they are used for.
        kept: If they are needed after the next statement; else they flow on.
        lasting: Variables whose names nothing else gets, wherever it stands.
    """

    always: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    lasting: set[str] = field(default_factory=set)

    def of(self, variable: str, *, is_kept: bool) -> str:
        """Return what a variable would like to be called."""
        wish = self.kept.get(variable) if is_kept else None
        return self.always.get(variable) or wish or FLOWING


def identifier(text: str) -> str:
    """Return a text as a name for a variable, in lower case.

    Example:
        >>> identifier("conv2/Block 1")
        'conv2_block_1'
    """
    # ASCII alone: Python takes some letters for one name that differ as text.
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if not name or name[0].isdigit():
        name = f"layer_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


def is_assigned(node: ast.Name) -> bool:
    """Return whether a name stands where it is assigned; made without a context it does not."""
    return isinstance(getattr(node, "ctx", None), ast.Store)


def with_readable_names(
    statements: Sequence[ast.stmt],
    wishes: Wishes,
    taken: Collection[str],
) -> list[ast.stmt]:
    """Rename the variables of a function's body.

    Args:
        statements: Assignments, expressions and `for` loops of these; the last statement may
            return. They are changed.
        wishes: What to call variables; all others are called ``x``.
        taken: Names that mean something else.
    """
    spans = _Spans()
    spans.walk(statements)
    for name in wishes.lasting:
        if name in spans.first:
            spans.first[name], spans.last[name] = -1, spans.place + 1
    names = _choose(spans, wishes, {*taken, *spans.counters})
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                node.id = names.get(node.id, node.id)
    return list(statements)


@dataclass(slots=True)
class _Spans:
    """From where to where each variable is needed, by places in the text."""

    place: int = 0
    counters: set[str] = field(default_factory=set)
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    assigned: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def walk(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.For):
                self._walk_loop(statement)
            else:
                self._walk_simple(statement)

    def _walk_loop(self, loop: ast.For) -> None:
        self.place += 1
        self._read(loop.iter)
        begin = self.place
        self.counters |= {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
        self.walk(loop.body)
        self.place += 1
        # What comes into a loop, or is carried to its next pass, is needed until its end.
        for name, place in self.last.items():
            if place < begin:
                continue
            before = self.first[name] < begin
            if before or self._is_read_before_assigned(loop, name):
                self.last[name] = self.place
                self.first[name] = min(self.first[name], begin)

    @staticmethod
    def _is_read_before_assigned(loop: ast.For, name: str) -> bool:
        for statement in loop.body:
            for node in _names_in_order(statement):
                if node.id == name:
                    return not is_assigned(node)
        return False

    def _walk_simple(self, statement: ast.stmt) -> None:
        self.place += 1
        if isinstance(statement, ast.Assign):
            self._read(statement.value)
            for target in statement.targets:
                self._assign(target)
        else:
            self._read(statement)

    def _read(self, node: ast.AST) -> None:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in self.first:
                self.last[each.id] = self.place

    def _assign(self, target: ast.AST) -> None:
        for each in ast.walk(target):
            if isinstance(each, ast.Name):
                self.first.setdefault(each.id, self.place)
                self.last[each.id] = max(self.place, self.last.get(each.id, 0))
                self.assigned[each.id].append(self.place)


def _names_in_order(statement: ast.stmt) -> Iterator[ast.Name]:
    """Walk the names of a statement as they are evaluated: an assignment's targets last."""
    if isinstance(statement, ast.Assign):
        parts: list[ast.AST] = [statement.value, *statement.targets]
    elif isinstance(statement, ast.For):
        parts = [statement.iter, statement.target, *statement.body]
    else:
        parts = [statement]
    for part in parts:
        if isinstance(part, ast.stmt) and part is not statement:
            yield from _names_in_order(part)
        else:
            yield from (node for node in ast.walk(part) if isinstance(node, ast.Name))


def _choose(spans: _Spans, wishes: Wishes, taken: Collection[str]) -> dict[str, str]:
    """Give each variable the name it wishes, with a number where that is not free then."""
    used: dict[str, list[tuple[int, int]]] = defaultdict(list)
    chosen: dict[str, str] = {}
    for variable in sorted(spans.first, key=lambda name: spans.first[name]):
        span = spans.first[variable], spans.last[variable]
        wish = wishes.of(variable, is_kept=span[1] > span[0] + 1)
        for name in _candidates(wish):
            if name not in taken and not any(_overlap(span, other) for other in used[name]):
                break
        used[name].append(span)
        chosen[variable] = name
    return chosen


def _candidates(wish: str) -> Iterator[str]:
    yield wish
    number = 1
    while True:
        number += 1
        yield f"{wish}_{number}"


def _overlap(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Return whether two are needed at once: the one may end where the other is assigned."""
    return (first[0] < second[1] and second[0] < first[1]) or first[0] == second[0]
