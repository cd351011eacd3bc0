"""Repeated parts of a straight-line program as functions and loops.

The program does exactly the same calls with the same arguments in the same order. Whatever
makes it shortest is folded first, and what then repeats after that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.naming import Wishes
from modelkb_store.codegen.keras.repeats.functions import best_function, function_of
from modelkb_store.codegen.keras.repeats.lines import Line, as_line, flow_of
from modelkb_store.codegen.keras.repeats.loops import best_loop, loop_of
from modelkb_store.codegen.keras.repeats.naming import Namer, Role


@dataclass(frozen=True, slots=True)
class Folded:
    """A program after folding.

    Attributes:
        functions: The functions that it needs.
        statements: The program.
        renamed: How variables that were needed at the end are called now.
    """

    functions: list[ast.FunctionDef] = field(default_factory=list)
    statements: list[ast.stmt] = field(default_factory=list)
    renamed: Mapping[str, str] = field(default_factory=dict)


def _no_role(function: str, place: int) -> str | None:
    return None


def _block(statements: Sequence[ast.stmt]) -> str:
    return "block"


def fold(
    statements: Sequence[ast.stmt],
    *,
    needed: Collection[str] = (),
    taken: Collection[str] = (),
    wishes: Wishes | None = None,
    role: Role = _no_role,
    title: Callable[[Sequence[ast.stmt]], str] = _block,
) -> Folded:
    """Fold a program.

    Args:
        statements: Assignments to one variable each, every variable assigned once, and
            expressions.
        needed: Variables that are read after the program.
        taken: Names that mean something else where the program will stand.
        wishes: What variables in functions would like to be called.
        role: Tells what a positional argument of a called function is, to name parameters.
        title: Names a function by its statements.
    """
    variables = {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
        and isinstance(statement, ast.Assign)
        and node in statement.targets
    }
    folding = _Folding(variables, list(needed), Namer({*taken}, wishes or Wishes(), role, title))
    folding.lines = [as_line(_with_contexts(each), variables) for each in statements]
    while folding.fold_once():
        pass
    return Folded(
        functions=folding.functions,
        statements=[line.statement for line in folding.lines],
        renamed=folding.renamed,
    )


def _with_contexts(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            assert isinstance(target, ast.Name)
            target.ctx = ast.Store()
    return statement


@dataclass(slots=True)
class _Folding:
    variables: set[str]
    needed: list[str]
    namer: Namer
    lines: list[Line] = field(default_factory=list)
    functions: list[ast.FunctionDef] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def fold_once(self) -> bool:
        """Fold what makes the program shortest, if anything does."""
        flow = flow_of(self.lines, [self.renamed.get(name, name) for name in self.needed])
        function = best_function(self.lines, flow, self.namer)
        loop = best_loop(self.lines, flow, self.namer)
        if loop is not None and (function is None or loop.gain >= function.gain):
            made, renamed = loop_of(loop, self.lines, flow)
            self._replace(loop.begin, loop.length * loop.count, made)
            self._rename(renamed, loop.begin + len(made))
            return True
        if function is None:
            return False
        part = self.lines[function.places[0] : function.places[0] + function.length]
        name = self.namer.function_name([line.statement for line in part])
        definition, calls = function_of(function, self.lines, name, self.namer)
        self.functions.append(definition)
        for place, call in reversed(list(zip(function.places, calls, strict=True))):
            self._replace(place, function.length, [call])
        return True

    def _replace(self, begin: int, count: int, statements: Sequence[ast.stmt]) -> None:
        made = [as_line(each, self.variables) for each in statements]
        self.lines[begin : begin + count] = made

    def _rename(self, renamed: Mapping[str, str], begin: int) -> None:
        """Call variables of a loop's last pass as the loop calls them, behind it."""
        changes = {old: new for old, new in renamed.items() if old != new}
        for number, line in enumerate(self.lines[begin:], begin):
            # Loops behind it assign them as well.
            names = [node for node in ast.walk(line.statement) if isinstance(node, ast.Name)]
            if any(node.id in changes for node in names):
                for node in names:
                    node.id = changes.get(node.id, node.id)
                self.lines[number] = as_line(line.statement, self.variables)
        for name in self.needed:
            now = self.renamed.get(name, name)
            if now in changes:
                self.renamed[name] = changes[now]
