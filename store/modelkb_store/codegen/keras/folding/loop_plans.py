"""Plans a loop for passes that go together, and makes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelkb_store.codegen.keras.folding.attributes import Affine, Text
from modelkb_store.codegen.keras.folding.graph import Loop, Program, Region, Value
from modelkb_store.codegen.keras.folding.loop_variables import Variables, choose_variables
from modelkb_store.codegen.keras.folding.passes import BEFORE, INSIDE, Part, Passes
from modelkb_store.codegen.keras.folding.shapes import Shapes, lines_of_head
from modelkb_store.codegen.keras.folding.unify import unify

_MOST_COLUMNS = 6
_MOST_CARRIED = 4
# A long body in which several things vary is better a function with parameters.
_MOST_LISTED = 3
_MOST_TO_LOOK_UP = 18


class Uses:
    """Where in a region values are used.

    Attributes:
        last: The last place where a value is used; the end for a result of the region.
        width: For each place how many values are used after it that were made before it.
    """

    def __init__(self, region: Region) -> None:
        self.last: dict[Value, int] = {}
        made: dict[Value, int] = dict.fromkeys(region.arguments, 0)
        for place, operation in enumerate(region.operations):
            for operand in operation.operands:
                self.last[operand] = place
            for result in operation.results:
                made[result] = place + 1
        size = len(region.operations)
        self.last.update(dict.fromkeys(region.results, size))
        changes = [0] * (size + 2)
        for value, last in self.last.items():
            changes[made[value]] += 1
            changes[max(last + 1, made[value])] -= 1
        self.width: list[int] = []
        total = 0
        for change in changes:
            total += change
            self.width.append(total)


@dataclass(slots=True)
class LoopPlan:
    """A loop that can be made.

    Attributes:
        start: The place of its first operation.
        end: The place after its last one.
        gain: How many lines it saves.
        loop: The loop.
    """

    start: int
    end: int
    gain: float
    loop: Loop


@dataclass(slots=True)
class _Values:
    """The values of a loop: what comes in, and what is carried on."""

    carried: dict[tuple[int, int, Value], Value] = field(default_factory=dict)
    outside: dict[Value, Value] = field(default_factory=dict)
    operands: list[list[Value]] = field(default_factory=list)
    body: Region = field(default_factory=Region)
    made: dict[Value, Value] = field(default_factory=dict)


def plan_loop(
    program: Program, shapes: Shapes, uses: Uses, passes: Passes, part: Part
) -> LoopPlan | None:
    """Plan a loop over passes that take their values from the same places.

    Returns:
        None if their constants cannot be made one, or too much would vary.
    """
    begin, end = part
    start, stop = passes.start + begin * passes.period, passes.start + end * passes.period
    operations = passes.region.operations[start : start + passes.period]
    inner = [shapes.of(each) for each in operations]
    roles = [role for shape in inner for role in shape.roles]
    unified = unify(program, passes.attributes[begin:end], roles, closed=False)
    if unified is None or len(unified.varying) > _MOST_COLUMNS:
        return None
    variables = choose_variables(program, unified, end - begin)
    listed, size = len(variables.columns), sum(shape.size for shape in inner)
    if listed > _MOST_LISTED or listed * size > _MOST_TO_LOOK_UP:
        return None
    values = _wire(program, passes, begin)
    if len(values.carried) > _MOST_CARRIED:
        return None
    attributes = iter(variables.attributes)
    for operation, shape, operands in zip(operations, inner, values.operands, strict=True):
        for result in operation.results:
            values.made[result] = program.value_like(result)
        values.body.operations.append(
            shapes.rebuild(
                operation,
                [next(attributes) for _ in shape.attributes],
                [values.made.get(operand, operand) for operand in operands],
                [values.made[result] for result in operation.results],
            )
        )
    loop = _loop(values, variables, _results(program, passes, part, uses, values))
    before = sum(shapes.of(each).lines for each in passes.region.operations[start:stop])
    after = lines_of_head(loop) + sum(shape.lines for shape in inner)
    return LoopPlan(start, stop, before - after - cost_of_reading(loop), loop)


def cost_of_reading(loop: Loop) -> float:
    """Return how many lines more a loop should save, as it is harder to read."""
    follow = {
        part
        for operation in loop.body.operations
        for attribute in operation.attributes
        for part in (attribute.pieces if isinstance(attribute, Text) else (attribute,))
        if isinstance(part, Affine)
    }
    return 0.5 * len(loop.columns) + 0.5 * max(0, loop.carried - 1) + 0.5 * len(follow)


def _wire(program: Program, passes: Passes, begin: int) -> _Values:
    """Find out what the operands of the operations in the body are."""
    values = _Values()
    sources = iter(passes.sources[begin + 1])
    start = passes.start + begin * passes.period
    for operation in passes.region.operations[start : start + passes.period]:
        operands = []
        for operand in operation.operands:
            kind, place, output = next(sources)
            if kind == INSIDE:
                operands.append(operand)
                continue
            if kind == BEFORE:
                key = place, output, operand
                if key not in values.carried:
                    values.carried[key] = program.value_like(operand)
                operands.append(values.carried[key])
                continue
            if operand not in values.outside:
                values.outside[operand] = program.value_like(operand)
            operands.append(values.outside[operand])
        values.operands.append(operands)
    values.body.arguments = [*values.carried.values(), *values.outside.values()]
    return values


def _results(
    program: Program, passes: Passes, part: Part, uses: Uses, values: _Values
) -> list[Value]:
    """Find out what comes out of a loop, and what its body gives to the next pass."""
    first = passes.start + part[0] * passes.period
    last = passes.start + (part[1] - 1) * passes.period
    operations = passes.region.operations
    results: list[Value] = []
    seen = set()
    for place, output, _ in values.carried:
        values.body.results.append(values.made[operations[first + place].results[output]])
        result = operations[last + place].results[output]
        # The same can be carried twice, if it was two things at first.
        results.append(result if result not in seen else next(program.numbers))
        seen.add(result)
    for place in range(passes.period):
        ours, theirs = operations[first + place].results, operations[last + place].results
        for own, result in zip(ours, theirs, strict=True):
            if result not in seen and uses.last.get(result, -1) >= last + passes.period:
                values.body.results.append(values.made[own])
                results.append(result)
    return results


def _loop(values: _Values, variables: Variables, results: list[Value]) -> Loop:
    return Loop(
        operands=[*(key[2] for key in values.carried), *values.outside],
        attributes=[],
        results=results,
        body=values.body,
        carried=len(values.carried),
        index=variables.index,
        step=variables.step,
        numbers=variables.numbers,
        columns=variables.columns,
        rows=variables.rows,
        roles=variables.roles,
    )


def apply_plan(region: Region, plan: LoopPlan) -> None:
    """Put a loop in the place of what it does."""
    region.operations[plan.start : plan.end] = [plan.loop]
