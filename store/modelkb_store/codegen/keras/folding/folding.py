"""Folds a straight-line program: repeated parts become functions and loops."""

from __future__ import annotations

import ast
import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.folding.costs import cost
from modelkb_store.codegen.keras.folding.functions import fold_functions
from modelkb_store.codegen.keras.folding.graph import Call, Function, Program
from modelkb_store.codegen.keras.folding.loops import fold_loops
from modelkb_store.codegen.keras.folding.naming import Title, name_functions
from modelkb_store.codegen.keras.folding.reading import (
    ArgumentRole,
    NotStraightLineError,
    read_program,
)
from modelkb_store.codegen.keras.folding.shapes import Shapes
from modelkb_store.codegen.keras.folding.simplify import simplify
from modelkb_store.codegen.keras.folding.writing import write_function, write_main
from modelkb_store.codegen.keras.naming import Wishes

_MOST_ROUNDS = 40
# What loops are written with.
_BUILTINS = frozenset({"range", "enumerate"})


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded program.

    Attributes:
        functions: The functions it calls.
        statements: The program: assignments, expressions and `for` loops.
        renamed: Variables that are needed after it and have other names now; there are none.
    """

    functions: list[ast.FunctionDef]
    statements: list[ast.stmt]
    renamed: Mapping[str, str] = field(default_factory=dict)


def fold(
    statements: Sequence[ast.stmt],
    *,
    taken: Collection[str],
    needed: Collection[str] = (),
    wishes: Wishes | None = None,
    role: ArgumentRole | None = None,
    title: Title | None = None,
) -> Folded:
    """Write the repeated parts of a program as functions and loops.

    What is returned makes exactly the same calls, with the same arguments, in the same order.

    Args:
        statements: Assignments of one variable each, every variable assigned once, and
            expressions; the last one may be a `return`.
        taken: Names that mean something else.
        needed: Variables that are needed after the statements. Those that no statement reads, or
            that the `return` reads, always are. All these keep their names.
        wishes: What variables in functions would like to be called.
        role: Gives the name of a parameter of a function (``"layers.Dense"``) by its place, for
            the names of parameters and variables; None if it is not known.
        title: Names a function by its statements.

    Returns:
        The program; just as it was if it has other statements, or nothing to fold.

    Example:
        >>> text = "; ".join(f"x{i + 1} = f(x{i})" for i in range(9))
        >>> folded = fold(ast.parse(text).body, taken=())
        >>> print(ast.unparse(folded.statements[-1]))
        for _ in range(9):
            x1 = f(x1)
    """
    try:
        first = read_program(statements, needed=needed, role=role)
    except NotStraightLineError:
        return Folded([], list(statements))
    if _BUILTINS & {*taken, *first.variables}:
        return Folded([], list(statements))
    best, least = None, cost(first, Shapes(first))
    for strategy in Strategy:
        program = read_program(statements, needed=needed, role=role)
        shapes = Shapes(program)
        _fold(program, shapes, strategy)
        costs = cost(program, shapes)
        if costs < least:
            best, least = program, costs
    if best is None:
        return Folded([], list(statements))
    return _write(best, {*taken, *best.free}, wishes or Wishes(), title)


class Strategy(enum.Enum):
    """What is looked for first."""

    LONG_LOOPS = enum.auto()
    SHORT_LOOPS = enum.auto()
    FUNCTIONS = enum.auto()


def _fold(program: Program, shapes: Shapes, strategy: Strategy) -> None:
    inner_first = strategy is Strategy.SHORT_LOOPS
    if strategy is not Strategy.FUNCTIONS:
        _fold_all_loops(program, shapes, inner_first=inner_first)
    rounds = 0
    while rounds < _MOST_ROUNDS and fold_functions(program, shapes):
        if strategy is not Strategy.FUNCTIONS:
            _fold_all_loops(program, shapes, inner_first=inner_first)
        rounds += 1
    _fold_all_loops(program, shapes, inner_first=inner_first)
    simplify(program, shapes)


def _fold_all_loops(program: Program, shapes: Shapes, *, inner_first: bool) -> None:
    changed = False
    for region in reversed(list(program.regions())):
        changed |= fold_loops(program, region, shapes, inner_first=inner_first)
    if changed:
        shapes.forget_loops()


def _write(program: Program, taken: set[str], wishes: Wishes, title: Title | None) -> Folded:
    name_functions(program, {*taken, *program.variables}, title)
    taken |= {function.name for function in program.functions}
    functions = [
        write_function(program, function, taken, wishes)
        for function in _callees_first(program.functions)
    ]
    statements = write_main(program, taken, wishes)
    for node in [*functions, *statements]:
        ast.fix_missing_locations(node)
    return Folded(functions, statements)


def _callees_first(functions: list[Function]) -> list[Function]:
    """Return functions so that what is called stands before what calls it."""
    called = {function.number: _called(function) for function in functions}
    ordered: list[Function] = []
    pending = list(functions)
    while pending:
        done = {function.number for function in ordered}
        ready = [each for each in pending if called[each.number] <= done]
        ordered += ready
        pending = [each for each in pending if each not in ready]
    return ordered


def _called(function: Function) -> set[int]:
    regions = Program(function.body).regions()
    return {
        operation.function.number
        for region in regions
        for operation in region.operations
        if isinstance(operation, Call)
    }
