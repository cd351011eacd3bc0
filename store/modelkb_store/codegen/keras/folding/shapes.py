"""What an operation looks like from outside, so that equal ones are found and made one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelkb_store.codegen.keras.folding.attributes import (
    Attribute,
    Parameter,
    parameters_in,
    substitute,
)
from modelkb_store.codegen.keras.folding.graph import (
    Call,
    Loop,
    Operation,
    Program,
    Region,
    Role,
    Statement,
    Value,
)
from modelkb_store.codegen.keras.folding.layout import lines_of_arguments, lines_of_rows

# With more, the arguments of a call are written with their names.
FEW_ARGUMENTS = 4


@dataclass(slots=True)
class Shape:
    """An operation without its values.

    Attributes:
        key: Equal for operations that differ in values and constants only.
        attributes: All constants; the variables of loops in it have numbers below zero.
        roles: What each constant is for.
        lines: How many lines it takes.
        size: How many statements it has.
        variables: How many variables of loops it has.
    """

    key: int
    attributes: list[Attribute]
    roles: list[Role]
    lines: int
    size: int
    variables: int = 0


def is_own(parameter: Parameter) -> bool:
    """Return whether a parameter is a variable of a loop that is looked at from outside."""
    return parameter.number < 0


def has_own(attribute: Attribute) -> bool:
    """Return whether a constant depends on a variable of a loop in the operation."""
    return any(is_own(parameter) for parameter in parameters_in(attribute))


class Shapes:
    """The shapes of a program's operations."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[int, tuple[Operation, Shape]] = {}

    def of(self, operation: Operation) -> Shape:
        """Return the shape of an operation."""
        known = self._known.get(id(operation))
        if known is None:
            known = operation, self._make(operation)
            self._known[id(operation)] = known
        return known[1]

    def forget_loops(self) -> None:
        """Forget the loops, whose bodies have changed."""
        self._known = {
            number: known for number, known in self._known.items() if not isinstance(known[0], Loop)
        }

    def _make(self, operation: Operation) -> Shape:
        if isinstance(operation, Statement):
            template = operation.template
            return Shape(template.number, operation.attributes, template.roles, template.lines, 1)
        if isinstance(operation, Call):
            key = self._program.key(("call", operation.function.number))
            lines = lines_of_call(len(operation.operands), operation.attributes)
            return Shape(key, operation.attributes, operation.function.roles, lines, 1)
        assert isinstance(operation, Loop)
        return self._loop(operation)

    def _loop(self, loop: Loop) -> Shape:
        own = loop.variables()
        inner = [self.of(each) for each in loop.body.operations]
        attributes = [*loop.numbers, *(value for row in loop.rows for value in row)]
        roles: list[Role] = [*number_roles(loop), *(loop.roles * len(loop.rows))]
        number = len(own)
        for shape in inner:
            attributes += [_renumbered(each, own, number) for each in shape.attributes]
            roles += shape.roles
            number += shape.variables
        return Shape(
            key=self._program.key((_head(loop), _wiring(loop.body, inner))),
            attributes=attributes,
            roles=roles,
            lines=lines_of_head(loop) + sum(shape.lines for shape in inner),
            size=1 + sum(shape.size for shape in inner),
            variables=number,
        )

    def rebuild(
        self,
        operation: Operation,
        attributes: Sequence[Attribute],
        operands: list[Value],
        results: list[Value],
    ) -> Operation:
        """Return an operation of the same shape with other values and constants."""
        if isinstance(operation, Statement):
            return Statement(operands, list(attributes), results, operation.template)
        if isinstance(operation, Call):
            return Call(operands, list(attributes), results, operation.function)
        assert isinstance(operation, Loop)
        return self._rebuild_loop(operation, iter(attributes), operands, results)

    def _rebuild_loop(
        self,
        loop: Loop,
        attributes: Iterator[Attribute],
        operands: list[Value],
        results: list[Value],
    ) -> Loop:
        new = {old: Parameter(next(self._program.numbers), old.is_text) for old in loop.variables()}
        own = list(new.values())
        numbers = [next(attributes) for _ in loop.numbers]
        rows = [[next(attributes) for _ in row] for row in loop.rows]
        values = {old: self._program.value_like(old) for old in loop.body.arguments}
        operations = []
        offset = len(own)
        for each in loop.body.operations:
            shape = self.of(each)
            for result in each.results:
                values[result] = self._program.value_like(result)
            operations.append(
                self.rebuild(
                    each,
                    [_inside(next(attributes), own, offset) for _ in shape.attributes],
                    [values[operand] for operand in each.operands],
                    [values[result] for result in each.results],
                )
            )
            offset += shape.variables
        body = Region(
            [values[each] for each in loop.body.arguments],
            operations,
            [values[each] for each in loop.body.results],
        )
        return Loop(
            *(operands, [], results, body, loop.carried),
            *(new[loop.index] if loop.index else None, loop.step, numbers),
            *([new[each] for each in loop.columns], rows, loop.roles),
        )


def number_roles(loop: Loop) -> list[Role]:
    """Return what the numbers of a loop are for."""
    if loop.rows:
        return ["start"] * len(loop.numbers)
    return ["repeats"] if len(loop.numbers) == 1 else ["first", "last"]


def _renumbered(attribute: Attribute, own: list[Parameter], offset: int) -> Attribute:
    def replace(parameter: Parameter) -> Attribute:
        if is_own(parameter):
            return Parameter(parameter.number - offset, parameter.is_text)
        if parameter in own:
            return Parameter(-1 - own.index(parameter), parameter.is_text)
        return parameter

    return substitute(attribute, replace)


def _inside(attribute: Attribute, own: list[Parameter], offset: int) -> Attribute:
    def replace(parameter: Parameter) -> Attribute:
        if not is_own(parameter):
            return parameter
        place = -1 - parameter.number
        if place < len(own):
            return own[place]
        return Parameter(parameter.number + offset, parameter.is_text)

    return substitute(attribute, replace)


def _head(loop: Loop) -> object:
    return (
        *("loop", loop.carried, loop.index is None, loop.step, len(loop.numbers)),
        *(tuple(each.is_text for each in loop.columns), len(loop.rows)),
    )


def _wiring(body: Region, inner: list[Shape]) -> object:
    """Return the body with its values numbered in their order."""
    places = {value: place for place, value in enumerate(body.arguments)}
    wired = []
    for operation, shape in zip(body.operations, inner, strict=True):
        operands = tuple(places[operand] for operand in operation.operands)
        for result in operation.results:
            places[result] = len(places)
        wired.append((shape.key, operands, len(operation.results)))
    return len(body.arguments), tuple(wired), tuple(places[each] for each in body.results)


def lines_of_head(loop: Loop) -> int:
    """Estimate the lines of a loop's first line."""
    if not loop.rows:
        return 1
    return lines_of_rows([2 + sum(2 + length_of(each) for each in row) for row in loop.rows])


def lines_of_call(operands: int, attributes: Sequence[Attribute]) -> int:
    """Estimate the lines of a call of a function."""
    lengths = [2 + length_of(each) for each in attributes]
    if len(lengths) > FEW_ARGUMENTS:
        lengths = [each + 9 for each in lengths]
    return lines_of_arguments(len("x = conv_block()"), [*([4] * operands), *lengths])


def length_of(attribute: Attribute) -> int:
    """Estimate the length of a constant as text."""
    spelling = getattr(attribute, "spelling", None)
    return len(spelling) if isinstance(spelling, str) else 10
