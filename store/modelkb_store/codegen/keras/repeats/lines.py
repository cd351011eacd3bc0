"""The lines of a straight-line program, by their shapes: what stays if constants are taken away."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.naming import is_assigned

_COLUMNS = 84  # of the formatter's 88, within a function


@dataclass(slots=True)
class Line:
    """One statement.

    Attributes:
        statement: An assignment, an expression, or a loop made of such.
        shape: Equal for statements that differ in constants and variables only.
        constants: The constants in it, in the order of the text.
        reads: The variables that it reads, in the order of the text.
        writes: The variables that it assigns.
        cost: How many lines a formatter makes of it.
    """

    statement: ast.stmt
    shape: str
    constants: list[ast.Constant]
    reads: list[ast.Name]
    writes: list[str]
    cost: int

    @property
    def is_loop(self) -> bool:
        """Whether it is a loop, which is left as it is."""
        return isinstance(self.statement, ast.For)


# A variable as one line assigned it: the line's number, and which of its variables it is.
Definition = tuple[int, str]


@dataclass(slots=True)
class Flow:
    """Who uses what in a program.

    Attributes:
        sources: For each line what it reads: where that was assigned, or a line of -1.
        users: For each assignment the lines that read it; a line behind the last one stands
            for what is needed at the end.
    """

    sources: list[list[Definition]] = field(default_factory=list)
    users: dict[Definition, list[int]] = field(default_factory=lambda: defaultdict(list))


def as_line(statement: ast.stmt, variables: Iterable[str]) -> Line:
    """Return a statement as a line; `variables` are all that the program assigns."""
    known = frozenset(variables)
    shaper = _Shaper(known)
    if isinstance(statement, ast.For):
        return Line(
            statement,
            shape=f"loop {id(statement)}",
            constants=[],
            reads=[n for n in _names(statement) if n.id in known and not is_assigned(n)],
            writes=list(dict.fromkeys(n.id for n in _names(statement) if is_assigned(n))),
            cost=cost_of(statement),
        )
    if isinstance(statement, ast.Assign):
        writes = [node.id for target in statement.targets for node in _names(target)]
        shape = f"{len(writes)}={shaper.shape(statement.value)}"
    else:
        writes, shape = [], shaper.shape(statement)
    return Line(statement, shape, shaper.constants, shaper.reads, writes, cost_of(statement))


def flow_of(lines: Sequence[Line], needed: Iterable[str]) -> Flow:
    """Return who uses what; `needed` are variables that are read after the last line."""
    flow = Flow()
    last: dict[str, int] = {}
    for number, line in enumerate(lines):
        sources = [(last.get(node.id, -1), node.id) for node in line.reads]
        flow.sources.append(sources)
        for source in sources:
            flow.users[source].append(number)
        last.update(dict.fromkeys(line.writes, number))
    for name in needed:
        flow.users[last.get(name, -1), name].append(len(lines))
    return flow


def cost_of(statement: ast.stmt) -> int:
    """Return about how many lines a formatter makes of a statement."""
    if isinstance(statement, ast.For):
        return 1 + sum(cost_of(each) for each in statement.body)
    text = ast.unparse(ast.fix_missing_locations(statement))
    if len(text) <= _COLUMNS:
        return 1
    arguments = _outer_call(statement)
    if arguments is None or len(text) <= 2 * _COLUMNS - 20:
        return 3 if arguments is None or not _is_long(arguments) else 2 + _arguments(arguments)
    return 2 + _arguments(arguments)


def _is_long(call: ast.Call) -> bool:
    """Return whether a call's arguments do not fit in one line of their own."""
    texts = [ast.unparse(each) for each in (*call.args, *call.keywords)]
    return sum(len(text) + 2 for text in texts) > _COLUMNS - 4


def _arguments(call: ast.Call) -> int:
    return sum(
        1 if len(ast.unparse(each)) < _COLUMNS - 8 else 3 for each in (*call.args, *call.keywords)
    )


def _outer_call(statement: ast.stmt) -> ast.Call | None:
    """Return the call whose arguments would be broken into lines: the one with most of them."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return max(calls, key=lambda call: len(call.args) + len(call.keywords), default=None)


def _names(node: ast.AST) -> list[ast.Name]:
    return [each for each in ast.walk(node) if isinstance(each, ast.Name)]


class _Shaper:
    """Takes constants and variables out of an expression."""

    def __init__(self, variables: frozenset[str]) -> None:
        self._variables = variables
        self.constants: list[ast.Constant] = []
        self.reads: list[ast.Name] = []

    def shape(self, node: ast.AST) -> str:
        if isinstance(node, ast.Constant):
            self.constants.append(node)
            return f"<{type(node.value).__name__}>"
        if isinstance(node, ast.Name):
            if node.id in self._variables:
                self.reads.append(node)
                return "$"
            return node.id
        if isinstance(node, ast.keyword):
            return f"{node.arg}={self.shape(node.value)}"
        parts = [type(node).__name__]
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                parts.append(self.shape(value))
            elif isinstance(value, list):
                parts.append(f"[{','.join(self._item(each) for each in value)}]")
            elif name != "kind":
                parts.append(repr(value))
        return f"({' '.join(parts)})"

    def _item(self, value: object) -> str:
        return self.shape(value) if isinstance(value, ast.AST) else repr(value)
