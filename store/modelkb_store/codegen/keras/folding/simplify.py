"""Takes back what does not pay any more: functions that are called once, loops of two calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelkb_store.codegen.keras.folding.attributes import (
    Attribute,
    Literal,
    Parameter,
    literal,
    substitute,
)
from modelkb_store.codegen.keras.folding.graph import (
    Call,
    Loop,
    Operation,
    Program,
    Region,
    Value,
)
from modelkb_store.codegen.keras.folding.loop_plans import cost_of_reading
from modelkb_store.codegen.keras.folding.shapes import Shapes, lines_of_head


def simplify(program: Program, shapes: Shapes) -> None:
    """Take back functions and loops that do not make the program shorter."""
    while _inline_any(program, shapes):
        pass
    for region in reversed(list(program.regions())):
        _unroll(program, region, shapes)
    shapes.forget_loops()


def calls_of(program: Program) -> dict[int, list[tuple[Region, Call]]]:
    """Return where each function is called, by its number."""
    calls: dict[int, list[tuple[Region, Call]]] = {}
    for region in program.regions():
        for operation in region.operations:
            if isinstance(operation, Call):
                calls.setdefault(operation.function.number, []).append((region, operation))
    return calls


def _inline_any(program: Program, shapes: Shapes) -> bool:
    calls = calls_of(program)
    for function in program.functions:
        sites = calls.get(function.number, [])
        inner = function.body.operations
        if len(sites) > 1 and not (len(inner) == 1 and isinstance(inner[0], Call)):
            continue
        for region, call in sites:
            arguments = dict(zip(function.parameters, call.attributes, strict=True))
            values = dict(zip(function.body.arguments, call.operands, strict=True))
            made = instantiate(program, shapes, inner, arguments, values)
            place = region.operations.index(call)
            region.operations[place : place + 1] = made
            results = (values[each] for each in function.body.results)
            rename(region, dict(zip(call.results, results, strict=True)))
        program.functions.remove(function)
        shapes.forget_loops()
        return True
    return False


def instantiate(
    program: Program,
    shapes: Shapes,
    operations: Sequence[Operation],
    arguments: Mapping[Parameter, Attribute],
    values: dict[Value, Value],
) -> list[Operation]:
    """Return operations with parameters and values replaced; adds their results to `values`."""
    made = []
    for operation in operations:
        for result in operation.results:
            values[result] = program.value_like(result)
        made.append(
            shapes.rebuild(
                operation,
                [
                    substitute(each, lambda old: arguments.get(old, old))
                    for each in shapes.of(operation).attributes
                ],
                [values[each] for each in operation.operands],
                [values[each] for each in operation.results],
            )
        )
    return made


def rename(region: Region, new: Mapping[Value, Value]) -> None:
    """Let a region make the values `new` gives as those that it was to make."""
    old = {value: name for name, value in new.items()}
    for operation in region.operations:
        operation.results = [old.get(each, each) for each in operation.results]
        operation.operands = [old.get(each, each) for each in operation.operands]


def _unroll(program: Program, region: Region, shapes: Shapes) -> None:
    """Write out the loops of a region that save nothing."""
    for loop in [each for each in region.operations if isinstance(each, Loop)]:
        count = passes_of(loop)
        if count is None or count > 4:
            continue
        lines = sum(shapes.of(each).lines for each in loop.body.operations)
        if count * lines > lines_of_head(loop) + lines + cost_of_reading(loop):
            continue
        values = dict(zip(loop.body.arguments, loop.operands, strict=True))
        made: list[Operation] = []
        for number in range(count):
            made += instantiate(
                program, shapes, loop.body.operations, variables_in(loop, number), values
            )
            carried = [values[each] for each in loop.body.results[: loop.carried]]
            values.update(zip(loop.body.arguments, carried, strict=False))
        results = [values[each] for each in loop.body.results]
        if len(set(results)) < len(results) or not all(
            any(each in operation.results for operation in made) for each in results
        ):
            continue
        place = region.operations.index(loop)
        region.operations[place : place + 1] = made
        rename(region, dict(zip(loop.results, results, strict=True)))


def passes_of(loop: Loop) -> int | None:
    """Return how many passes a loop has, if that is no parameter."""
    if loop.rows:
        return len(loop.rows)
    numbers = [each.value for each in loop.numbers if isinstance(each, Literal)]
    if len(numbers) < len(loop.numbers):
        return None
    first, last = (
        (0, int(str(numbers[0])) - 1) if len(numbers) == 1 else map(int, map(str, numbers))
    )
    return (last - first) // loop.step + 1


def variables_in(loop: Loop, number: int) -> dict[Parameter, Attribute]:
    """Return what the variables of a loop are in a pass."""
    found: dict[Parameter, Attribute] = {}
    if loop.rows:
        found.update(zip(loop.columns, loop.rows[number], strict=True))
    if loop.index is not None:
        first = loop.numbers[0] if loop.rows or len(loop.numbers) > 1 else literal(0)
        assert isinstance(first, Literal)
        assert isinstance(first.value, int)
        found[loop.index] = literal(first.value + number * loop.step)
    return found
