"""Makes constants of several repetitions one: what they share, and parameters for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from modelkb_store.codegen.keras.folding.attributes import (
    Affine,
    Attribute,
    Literal,
    Parameter,
    Text,
    Token,
    join,
    literal,
    parameters_in,
    substitute,
    tokens,
)
from modelkb_store.codegen.keras.folding.graph import Program, Role
from modelkb_store.codegen.keras.folding.shapes import has_own, is_own

Column = tuple[Attribute, ...]


@dataclass(slots=True)
class Varying:
    """A parameter, with its value for each repetition.

    Attributes:
        parameter: The parameter.
        values: Its values.
        roles: What the constants are for that are made of it.
        is_number_in_text: Whether the values are whole numbers that stand in strings.
    """

    parameter: Parameter
    values: Column
    roles: list[Role]
    is_number_in_text: bool = False


@dataclass(slots=True)
class Unified:
    """The constants of several repetitions as one.

    Attributes:
        attributes: The constants, with parameters.
        varying: The parameters.
    """

    attributes: list[Attribute] = field(default_factory=list)
    varying: list[Varying] = field(default_factory=list)


@dataclass(slots=True)
class _Hole:
    """A constant that varies: what comes before the part that varies, and what after."""

    place: int
    before: tuple[Token, ...]
    after: tuple[Token, ...]
    is_text: bool


def unify(
    program: Program,
    repetitions: Sequence[Sequence[Attribute]],
    roles: Sequence[Role],
    *,
    closed: bool,
) -> Unified | None:
    """Make the constants of several repetitions one.

    Args:
        program: Gives numbers to new parameters.
        repetitions: For each of them, its constants.
        roles: What each constant is for.
        closed: Whether no parameters from outside may stay in it (in a new function).

    Returns:
        None if they cannot be made one.
    """
    unified = Unified()
    texts: dict[tuple[tuple[Token, ...], ...], list[_Hole]] = {}
    plain: dict[Column, list[_Hole]] = {}
    for place, column in enumerate(zip(*repetitions, strict=True)):
        unified.attributes.append(column[0])
        if all(each == column[0] for each in column) and not (closed and _is_open(column[0])):
            continue
        found = _core(column, place, closed=closed)
        if found is None:
            return None
        core, hole = found
        if hole.is_text:
            texts.setdefault(core, []).append(hole)
        else:
            plain.setdefault(core, []).append(hole)
    made = [(_text(program, core, holes, unified, closed), holes) for core, holes in texts.items()]
    made += [(_plain(program, core, holes, unified), holes) for core, holes in plain.items()]
    for varying, holes in sorted(made, key=lambda each: each[1][0].place):
        varying.roles = [roles[hole.place] for hole in holes]
        unified.varying.append(varying)
    _join_equal(unified)
    return unified


def _is_open(attribute: Attribute) -> bool:
    return any(not is_own(parameter) for parameter in parameters_in(attribute))


def _core(column: Column, place: int, *, closed: bool) -> tuple[Any, _Hole] | None:
    """Return the parts of a column that vary, without what is the same before and after."""
    split = [tokens(each) for each in column]
    texts = [each for each in split if each is not None]
    if len(texts) < len(split):
        if any(has_own(each) for each in column):
            return None
        return column, _Hole(place, (), (), is_text=False)
    end = _shared([each[::-1] for each in texts], closed)
    cut = [each[: len(each) - end] for each in texts]
    begin = _shared(cut, closed)
    core = tuple(each[begin:] for each in cut)
    if any(_own(token) for part in core for token in part):
        return None
    first = texts[0]
    return core, _Hole(place, first[:begin], first[len(first) - end :], is_text=True)


def _own(token: Token) -> bool:
    if isinstance(token, str):
        return False
    return is_own(token.parameter if isinstance(token, Affine) else token)


def _shared(texts: Sequence[tuple[Token, ...]], closed: bool) -> int:
    """Return how many tokens all texts begin with."""
    count = 0
    for same in zip(*texts, strict=False):
        first = same[0]
        if any(each != first for each in same):
            break
        if closed and not isinstance(first, str) and not _own(first):
            break
        count += 1
    return count


def _plain(program: Program, core: Column, holes: list[_Hole], unified: Unified) -> Varying:
    parameter = Parameter(next(program.numbers), all(_is_text(each) for each in core))
    for hole in holes:
        unified.attributes[hole.place] = parameter
    return Varying(parameter, core, [])


def _is_text(attribute: Attribute) -> bool:
    if isinstance(attribute, Literal):
        return isinstance(attribute.value, str)
    return isinstance(attribute, Text) or (isinstance(attribute, Parameter) and attribute.is_text)


def _text(
    program: Program,
    core: Sequence[tuple[Token, ...]],
    holes: list[_Hole],
    unified: Unified,
    closed: bool,
) -> Varying:
    numbers = [_number(part) for part in core]
    is_number = all(number is not None for number in numbers)
    before = holes[0].before
    # A number alone says little: a function takes the whole beginning of the names.
    whole = all(hole.before == before for hole in holes) and not any(map(_own, before))
    if whole and before and (closed or not is_number):
        values: Column = tuple(join((*before, *part)) for part in core)
        parameter = Parameter(next(program.numbers), is_text=True)
        is_number = False
    elif is_number:
        before = ()
        values = tuple(literal(number) for number in numbers)
        parameter = Parameter(next(program.numbers))
    else:
        before = ()
        values = tuple(join(part) for part in core)
        parameter = Parameter(next(program.numbers), is_text=True)
    for hole in holes:
        rest = hole.before[len(before) :] if values and before else hole.before
        text = join((*rest, parameter, *hole.after))
        unified.attributes[hole.place] = text
    return Varying(parameter, values, [], is_number)


def _number(part: tuple[Token, ...]) -> int | None:
    if len(part) != 1 or not isinstance(part[0], str):
        return None
    text = part[0]
    if not text.isascii() or not text.isdigit() or str(int(text)) != text:
        return None
    return int(text)


def _join_equal(unified: Unified) -> None:
    """Nothing is passed twice: a number in a string can also be a number of its own."""
    seen: dict[Column, Varying] = {}
    replaced: dict[Parameter, Parameter] = {}
    for each in unified.varying:
        same = seen.setdefault(each.values, each)
        if same is not each and same.parameter.is_text == each.parameter.is_text:
            replaced[each.parameter] = same.parameter
            same.roles += each.roles
            same.is_number_in_text |= each.is_number_in_text
    if replaced:
        unified.varying = [each for each in unified.varying if each.parameter not in replaced]
        unified.attributes = [
            substitute(each, lambda old: replaced.get(old, old)) for each in unified.attributes
        ]


def arithmetic(column: Column) -> tuple[int, int] | None:
    """Return the first number and the step of a column of whole numbers that count."""
    numbers = [
        each.value
        for each in column
        if isinstance(each, Literal) and isinstance(each.value, int) and each.kind == "int"
    ]
    if len(numbers) != len(column) or len(numbers) < 2:
        return None
    steps = {second - first for first, second in pairwise(numbers)}
    return (numbers[0], steps.pop()) if len(steps) == 1 else None
