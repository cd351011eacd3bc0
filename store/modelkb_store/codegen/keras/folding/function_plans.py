"""Plans a function for parts that are alike, and makes it."""

from __future__ import annotations

from dataclasses import dataclass

from modelkb_store.codegen.keras.folding.attributes import Attribute
from modelkb_store.codegen.keras.folding.graph import (
    Call,
    Function,
    Operation,
    Program,
    Region,
    Role,
    Value,
)
from modelkb_store.codegen.keras.folding.loop_plans import Uses
from modelkb_store.codegen.keras.folding.shapes import Shapes, lines_of_call
from modelkb_store.codegen.keras.folding.unify import Unified, unify

_MOST_PARAMETERS = 7
_MOST_INPUTS = 4
_MOST_RESULTS = 3
# The line that begins a function, the one that ends it, and two empty ones.
_FRAME = 4
# Functions of fewer statements are worth it only if each of these takes many lines.
_LEAST_SIZE = 3
_MANY_LINES = 5
# What a part is worth that leaves out the beginning or end of something.
_TORN = 0.3
_SEVERAL = 0.8
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a region."""

    region: Region
    uses: Uses
    start: int
    end: int

    def operations(self) -> list[Operation]:
        """Return the operations in it."""
        return self.region.operations[self.start : self.end]


@dataclass(slots=True)
class FunctionPlan:
    """A function that can be made.

    Attributes:
        windows: The parts that become calls.
        calls: The calls.
        function: The function.
        gain: How many lines it saves.
    """

    windows: list[Window]
    calls: list[Call]
    function: Function
    gain: float


@dataclass(slots=True)
class _Wiring:
    """How values flow through a part: alike in all that can be one function."""

    key: object
    inputs: list[Value]


def plan_functions(
    program: Program, shapes: Shapes, windows: list[Window], least: float
) -> FunctionPlan | None:
    """Plan the function that saves most of parts with the same operations.

    Args:
        program: The program.
        shapes: The shapes of its operations.
        windows: The parts.
        least: How many lines it must save.
    """
    groups: dict[object, list[tuple[Window, _Wiring]]] = {}
    for window in windows:
        wiring = _wiring(window)
        groups.setdefault(wiring.key, []).append((window, wiring))
    best = None
    for group in groups.values():
        if len(group) > 1:
            plan = _plan(program, shapes, group, least)
            if plan is not None:
                best, least = plan, plan.gain
    return best


def _wiring(window: Window) -> _Wiring:
    made: dict[Value, int] = {}
    inputs: dict[Value, int] = {}
    key = []
    for operation in window.operations():
        for operand in operation.operands:
            if operand in made:
                key.append(made[operand])
            else:
                key.append(-1 - inputs.setdefault(operand, len(inputs)))
        for result in operation.results:
            made[result] = len(made)
    return _Wiring(tuple(key), list(inputs))


def _plan(
    program: Program, shapes: Shapes, group: list[tuple[Window, _Wiring]], least: float
) -> FunctionPlan | None:
    first, wiring = group[0]
    results = _results([window for window, _ in group])
    if len(wiring.inputs) > _MOST_INPUTS or len(results) > _MOST_RESULTS:
        return None
    inner = [shapes.of(each) for each in first.operations()]
    lines = sum(shape.lines for shape in inner)
    if sum(shape.size for shape in inner) < _LEAST_SIZE and lines < _MANY_LINES * len(inner):
        return None
    worth = _SEVERAL ** (max(0, len(wiring.inputs) - 1) + 2 * max(0, len(results) - 1))
    if _is_torn(first):
        worth *= _TORN
    if worth * (lines * (len(group) - 1) - _FRAME - len(group)) < least:
        return None
    repetitions = [
        [each for operation in window.operations() for each in shapes.of(operation).attributes]
        for window, _ in group
    ]
    roles = [role for shape in inner for role in shape.roles]
    unified = unify(program, repetitions, roles, closed=True)
    if unified is None or len(unified.varying) > _MOST_PARAMETERS:
        return None
    unified.varying.sort(key=lambda each: _main_role(each.roles) == "name")
    arguments = [[each.values[number] for each in unified.varying] for number in range(len(group))]
    calls = sum(lines_of_call(len(wiring.inputs), each) for each in arguments)
    cost = max(0, len(unified.varying) - 2) + max(0, len(results) - 1)
    gain = worth * (lines * (len(group) - 1) - _FRAME - calls - cost)
    if gain < least:
        return None
    function = _function(program, shapes, group[0], unified, results)
    return FunctionPlan(
        [window for window, _ in group], _calls(function, group, arguments, results), function, gain
    )


def _calls(
    function: Function,
    group: list[tuple[Window, _Wiring]],
    arguments: list[list[Attribute]],
    results: list[tuple[int, int]],
) -> list[Call]:
    return [
        Call(
            operands=wiring.inputs,
            attributes=constants,
            results=[window.operations()[place].results[output] for place, output in results],
            function=function,
        )
        for (window, wiring), constants in zip(group, arguments, strict=True)
    ]


def _is_torn(window: Window) -> bool:
    """Return whether a value that passes by belongs to a part: it comes and goes close to it."""
    before = window.region.operations[max(0, window.start - _NEAR) : window.start]
    used = {each for operation in window.operations() for each in operation.operands}
    passing = {result for operation in before for result in operation.results} - used
    return any(
        window.end <= window.uses.last.get(value, -1) < window.end + _NEAR for value in passing
    )


def _results(windows: list[Window]) -> list[tuple[int, int]]:
    """Return what is used of the parts after them, by operation and output."""
    found = set()
    for window in windows:
        for place, operation in enumerate(window.operations()):
            for output, result in enumerate(operation.results):
                if window.uses.last.get(result, -1) >= window.end:
                    found.add((place, output))
    return sorted(found)


def _main_role(roles: list[Role]) -> Role:
    return next((role for role in roles if role), None)


def _function(
    program: Program,
    shapes: Shapes,
    first: tuple[Window, _Wiring],
    unified: Unified,
    results: list[tuple[int, int]],
) -> Function:
    window, wiring = first
    values = {value: program.value_like(value) for value in wiring.inputs}
    body = Region(arguments=list(values.values()))
    attributes = iter(unified.attributes)
    for operation in window.operations():
        for result in operation.results:
            values[result] = program.value_like(result)
        body.operations.append(
            shapes.rebuild(
                operation,
                [next(attributes) for _ in shapes.of(operation).attributes],
                [values[operand] for operand in operation.operands],
                [values[result] for result in operation.results],
            )
        )
    body.results = [body.operations[place].results[output] for place, output in results]
    return Function(
        number=next(program.numbers),
        body=body,
        parameters=[each.parameter for each in unified.varying],
        roles=[_main_role(each.roles) for each in unified.varying],
    )


def apply_plan(program: Program, region: Region, plans: list[FunctionPlan]) -> None:
    """Put calls in the place of what functions do."""
    replaced = {
        window.start: (window, call)
        for plan in plans
        for window, call in zip(plan.windows, plan.calls, strict=True)
        if window.region is region
    }
    for start in sorted(replaced, reverse=True):
        window, call = replaced[start]
        region.operations[start : window.end] = [call]
