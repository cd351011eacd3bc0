"""What it costs to read a program."""

from __future__ import annotations

from modelkb_store.codegen.keras.folding.graph import Loop, Program
from modelkb_store.codegen.keras.folding.loop_plans import cost_of_reading
from modelkb_store.codegen.keras.folding.shapes import Shapes

# The lines around a function: its first, the one that returns, and two empty ones.
_FRAME = 4
_FEW_PARAMETERS = 3


def cost(program: Program, shapes: Shapes) -> float:
    """Return the lines that a program takes, and more for what is hard to read."""
    total = 0.0
    for region in program.regions():
        for operation in region.operations:
            if isinstance(operation, Loop):
                inner = sum(shapes.of(each).lines for each in operation.body.operations)
                total += shapes.of(operation).lines - inner + cost_of_reading(operation)
            else:
                total += shapes.of(operation).lines
    for function in program.functions:
        many = max(0, len(function.parameters) - _FEW_PARAMETERS)
        several = max(0, len(function.body.results) - 1)
        total += _FRAME + many + 2 * several
    return total
