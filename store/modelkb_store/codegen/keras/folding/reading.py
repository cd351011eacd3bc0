"""Reads a straight-line program."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.folding.attributes import Attribute, literal
from modelkb_store.codegen.keras.folding.expressions import HoleFinder, has_own_names
from modelkb_store.codegen.keras.folding.graph import (
    Program,
    Region,
    Statement,
    Template,
    Value,
)
from modelkb_store.codegen.keras.folding.layout import lines_of_statement

ArgumentRole = Callable[[str, int], str | None]


class NotStraightLineError(ValueError):
    """The program has more than assignments of one variable each, or assigns one twice."""


def read_program(
    statements: Sequence[ast.stmt],
    *,
    needed: Collection[str] = (),
    role: ArgumentRole | None = None,
) -> Program:
    """Read a program.

    Args:
        statements: Assignments and expressions; the last may return.
        needed: Variables that are needed afterwards; those that nothing reads always are.
        role: Gives the name of a function's parameter by its place.

    Raises:
        NotStraightLineError: It is no such program.
    """
    reader = _Reader(role or (lambda function, place: None))
    for statement in statements:
        reader.read(statement)
    reader.program.kept |= {reader.values[name] for name in needed if name in reader.values}
    read = {value for operation in reader.program.main.operations for value in operation.operands}
    reader.program.kept |= set(reader.values.values()) - read
    reader.program.variables = set(reader.values)
    reader.program.free = reader.free
    reader.program.main.results = sorted(reader.program.kept)
    return reader.program


@dataclass(slots=True)
class _Reader:
    role: ArgumentRole
    program: Program = field(default_factory=lambda: Program(Region()))
    values: dict[str, Value] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    templates: dict[object, Template] = field(default_factory=dict)

    def read(self, statement: ast.stmt) -> None:
        operations = self.program.main.operations
        if operations and _template(operations[-1]).is_return:
            raise NotStraightLineError
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            if len(statement.targets) != 1 or not isinstance(target, ast.Name):
                raise NotStraightLineError
            operation = self._operation(statement.value, "assign")
            operation.results = [self._new_value(target.id)]
        elif isinstance(statement, ast.Expr):
            operation = self._operation(statement.value, "expression")
        elif isinstance(statement, ast.Return) and statement.value is not None:
            operation = self._operation(statement.value, "return")
        else:
            raise NotStraightLineError
        operations.append(operation)

    def _new_value(self, name: str) -> Value:
        if name in self.values or name in self.free:
            raise NotStraightLineError
        value = next(self.program.numbers)
        self.values[name] = value
        self.program.names[value] = name
        return value

    def _operation(self, expression: ast.expr, kind: str) -> Statement:
        finder = HoleFinder(self.values, self.role)
        shape = finder.shape(expression)
        self.free |= finder.free
        opaque = kind == "return" or has_own_names(expression, self.values)
        operands = [self.values[name] for name in finder.names]
        attributes: list[Attribute] = [literal(value) for value in finder.constants]
        if opaque:
            self.program.kept |= set(operands)
            shape, attributes = object(), []
        key = kind, shape
        template = self.templates.get(key)
        if template is None:
            template = self.templates[key] = Template(
                number=self.program.key(("statement", key)),
                expression=expression,
                roles=finder.roles,
                lines=lines_of_statement(expression),
                is_opaque=opaque,
                is_return=kind == "return",
            )
        return Statement(operands, attributes, [], template)


def _template(operation: object) -> Template:
    assert isinstance(operation, Statement)
    return operation.template
