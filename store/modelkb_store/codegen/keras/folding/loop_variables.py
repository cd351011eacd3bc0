"""Chooses what a loop runs over: a range, a list, or a list that is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelkb_store.codegen.keras.folding.attributes import (
    Affine,
    Attribute,
    Parameter,
    literal,
    substitute,
)
from modelkb_store.codegen.keras.folding.graph import Program, Role
from modelkb_store.codegen.keras.folding.unify import Unified, Varying, arithmetic

# From how many passes on numbers that count are a range, whatever their step.
_MANY = 4


@dataclass(slots=True)
class Variables:
    """The variables of a loop, as in `Loop`, and the constants of its body made of them."""

    attributes: list[Attribute]
    index: Parameter | None = None
    step: int = 1
    numbers: list[Attribute] = field(default_factory=list)
    columns: list[Parameter] = field(default_factory=list)
    rows: list[list[Attribute]] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)


def choose_variables(program: Program, unified: Unified, count: int) -> Variables:
    """Choose the variables of a loop.

    Args:
        program: Gives numbers to new parameters.
        unified: What varies from pass to pass.
        count: How many passes there are.
    """
    variables = Variables(unified.attributes)
    base = _base(unified.varying, count)
    replaced: dict[Parameter, Attribute] = {}
    listed: list[Varying] = []
    first = 0
    if base is not None:
        found = arithmetic(base.values)
        assert found is not None
        first, variables.step = found
        variables.index = Parameter(next(program.numbers))
    for each in unified.varying:
        follows = _follows(each, first, variables, count)
        if follows is None:
            listed.append(each)
        else:
            replaced[each.parameter] = follows
    if listed and variables.index is not None and variables.step != 1:
        # `enumerate` counts in steps of one only.
        replaced, listed = {}, unified.varying
        variables.index, variables.step, first = None, 1, 0
    variables.columns = [each.parameter for each in listed]
    variables.roles = [next((role for role in each.roles if role), None) for each in listed]
    variables.rows = [list(row) for row in zip(*(each.values for each in listed), strict=True)]
    variables.numbers = _numbers(variables, first, count)
    if replaced:
        variables.attributes = [
            substitute(each, lambda old: replaced.get(old, old)) for each in unified.attributes
        ]
    return variables


def _base(varying: list[Varying], count: int) -> Varying | None:
    """Return what a loop counts, if there is such a thing."""
    counting = [(each, arithmetic(each.values)) for each in varying]
    for each, found in counting:
        if found is not None and each.is_number_in_text and found[1] == 1:
            return each
    for each, found in counting:
        if found is not None and (found[1] in (1, -1) or count >= _MANY):
            return each
    return None


def _follows(each: Varying, first: int, variables: Variables, count: int) -> Attribute | None:
    """Return a column as a number that follows the index."""
    found = arithmetic(each.values)
    if variables.index is None or found is None or found[1] % variables.step:
        return None
    factor = found[1] // variables.step
    offset = found[0] - factor * first
    if (factor, offset) == (1, 0):
        return variables.index
    if factor == 1 or count >= _MANY:
        return Affine(variables.index, factor, offset)
    return None


def _numbers(variables: Variables, first: int, count: int) -> list[Attribute]:
    if variables.rows:
        return [literal(first)] if variables.index else []
    if first == 0 and variables.step == 1:
        return [literal(count)]
    return [literal(first), literal(first + (count - 1) * variables.step)]
