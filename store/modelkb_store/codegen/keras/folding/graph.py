"""A program that is folded: operations on values, in regions.

Values are numbers, each the result of one operation or an argument of one region. A region is
the whole program, the body of a function or the body of a loop; it sees no values from outside
but its arguments, while parameters (see `attributes`) of what is around it can be used in it.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelkb_store.codegen.keras.folding.attributes import Attribute, Parameter

Value = int
Role = str | None


@dataclass(eq=False, slots=True)
class Template:
    """An expression with holes for values and for constants.

    Attributes:
        number: Templates with the same number are the same but for what is in the holes.
        expression: The expression as it was first found.
        roles: What each constant is for, such as the name of its keyword.
        lines: How many lines it takes.
        is_opaque: Whether it must stay as it is, and where it is.
        is_return: Whether it is returned.
    """

    number: int
    expression: ast.expr
    roles: list[Role]
    lines: int
    is_opaque: bool = False
    is_return: bool = False


@dataclass(eq=False, slots=True)
class Operation:
    """What takes values and gives values."""

    operands: list[Value]
    attributes: list[Attribute]
    results: list[Value]


@dataclass(eq=False, slots=True)
class Statement(Operation):
    """A statement of the program: an expression, assigned to a variable if it has a result."""

    template: Template


@dataclass(eq=False, slots=True)
class Region:
    """Operations one after another."""

    arguments: list[Value] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    results: list[Value] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Function:
    """A function that was made of repeated parts."""

    number: int
    body: Region
    parameters: list[Parameter]
    roles: list[Role]
    name: str = "block"


@dataclass(eq=False, slots=True)
class Call(Operation):
    """A call of such a function."""

    function: Function


@dataclass(eq=False, slots=True)
class Loop(Operation):
    """A loop; it does something at least once.

    The first operands are what the first `carried` arguments of the body are at first; after
    each pass they are what the body's first results are. The loop's results are those of the
    last pass. `attributes` is unused: constants are in `numbers`, in `rows` and in the body.

    Attributes:
        body: What is done in each pass.
        carried: How many arguments change from pass to pass.
        index: The variable that counts, if it is used.
        step: How far it counts in a pass.
        numbers: Without rows, the first and the last number of a range; only how many there
            are where it counts from zero. With rows, the first number.
        columns: The variables that take values from `rows`.
        rows: For each pass a value for each of `columns`.
        roles: What each column is for.
    """

    body: Region
    carried: int
    index: Parameter | None
    step: int
    numbers: list[Attribute]
    columns: list[Parameter]
    rows: list[list[Attribute]]
    roles: list[Role]

    def variables(self) -> list[Parameter]:
        """Return the variables of the loop."""
        return [*([self.index] if self.index else []), *self.columns]


@dataclass(eq=False, slots=True)
class Program:
    """The whole program while it is folded.

    Attributes:
        main: The statements that are not in functions.
        functions: The functions.
        names: What the caller calls a value.
        kept: Values that are needed after the program.
        variables: All variables of the caller's program.
        free: The other names in it.
        numbers: Makes numbers of values, parameters and functions.
        keys: Numbers of shapes.
    """

    main: Region
    functions: list[Function] = field(default_factory=list)
    names: dict[Value, str] = field(default_factory=dict)
    kept: set[Value] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    keys: dict[object, int] = field(default_factory=dict)

    def key(self, shape: object) -> int:
        """Return a number for a shape: the same for equal shapes."""
        return self.keys.setdefault(shape, len(self.keys))

    def value_like(self, value: Value) -> Value:
        """Return a new value that is called as another one."""
        new = next(self.numbers)
        if value in self.names:
            self.names[new] = self.names[value]
        return new

    def regions(self) -> Iterator[Region]:
        """Walk all regions, what is around one before it."""
        pending = [self.main, *(function.body for function in self.functions)]
        while pending:
            region = pending.pop()
            yield region
            pending += [each.body for each in region.operations if isinstance(each, Loop)]
