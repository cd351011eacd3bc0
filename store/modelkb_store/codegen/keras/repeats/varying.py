"""Constants that vary between repetitions: parameters of a function, variables of a loop."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class Parameter:
    """One thing that varies.

    Attributes:
        values: Its value in each repetition.
        name: What it is called.
    """

    values: tuple[Any, ...]
    name: str = ""


@dataclass(slots=True)
class Variation:
    """What varies between repetitions, and what takes the place of each constant.

    Attributes:
        parameters: What varies.
        expressions: For each constant what to write in its place; None if it is always the same.
    """

    parameters: list[Parameter] = field(default_factory=list)
    expressions: list[Callable[[], ast.expr] | None] = field(default_factory=list)


def vary(
    rows: Sequence[Sequence[Any]],
    roles: Sequence[str],
    taken: Collection[str],
    *,
    counts: bool = False,
) -> Variation:
    """Find the parameters behind constants.

    Args:
        rows: The constants of each repetition, in the same order.
        roles: What each constant is: ``filters``, ``name``, ..
        taken: Names that parameters must not have.
        counts: Whether numbers that count up inside texts may be a parameter ``i``.
    """
    variation = Variation()
    columns = [tuple(row[place] for row in rows) for place in range(len(roles))]
    suffixes = _suffixes(columns)
    by_values: dict[tuple[Any, ...], Parameter] = {}
    names = _Names(taken)
    for place, column in enumerate(columns):
        if all(_same(value, column[0]) for value in column):
            variation.expressions.append(None)
            continue
        counted = _counted(column) if counts and isinstance(column[0], str) else None
        if counted is not None:
            values, write, wish = counted
        elif isinstance(column[0], str):
            suffix = suffixes[place]
            values = tuple(text[: len(text) - len(suffix)] for text in column)
            write, wish = _text_writer(suffix), roles[place]
        else:
            values, write, wish = column, ast.Name, roles[place]
        key = tuple((type(value).__name__, value) for value in values)
        if key not in by_values:
            by_values[key] = Parameter(values, names.free(wish))
            variation.parameters.append(by_values[key])
        variation.expressions.append(_bound(write, by_values[key]))
    # Names last, as in the classes of Keras.
    variation.parameters.sort(key=lambda each: each.name.partition("_")[0] == "name")
    return variation


def _bound(write: Callable[[str], ast.expr], parameter: Parameter) -> Callable[[], ast.expr]:
    return lambda: write(parameter.name)


def _same(first: Any, second: Any) -> bool:
    return type(first) is type(second) and repr(first) == repr(second)


class _Names:
    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)

    def free(self, wish: str) -> str:
        name, number = wish, 1
        while name in self._taken:
            number += 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name


def _text_writer(suffix: str) -> Callable[[str], ast.expr]:
    def write(name: str) -> ast.expr:
        if not suffix:
            return ast.Name(name)
        return ast.JoinedStr([ast.FormattedValue(ast.Name(name), -1), ast.Constant(suffix)])

    return write


def _suffixes(columns: Sequence[tuple[Any, ...]]) -> dict[int, str]:
    """Return what is the same at the end of each column of texts that vary.

    The rest, which varies, is made to be the same in as many columns as possible: letters
    that all of them go on with belong to it, so that it ends where a word ends.
    """
    found = {}
    for place, column in enumerate(columns):
        if isinstance(column[0], str) and not all(_same(each, column[0]) for each in column):
            found[place] = _common_suffix(column)
    while found and all(found.values()):
        firsts = {suffix[0] for suffix in found.values()}
        if len(firsts) > 1 or not next(iter(firsts)).isalnum():
            break
        found = {place: suffix[1:] for place, suffix in found.items()}
    return found


def _common_suffix(texts: Sequence[str]) -> str:
    shortest = min(texts, key=len)
    for length in range(len(shortest), 0, -1):
        suffix = shortest[-length:]
        if all(text.endswith(suffix) for text in texts):
            return suffix
    return ""


_Counted = tuple[tuple[Any, ...], Callable[[str], ast.expr], str]


def _counted(column: tuple[Any, ...]) -> _Counted | None:
    """Return the numbers that a column counts, and how to write it with them."""
    if not all(isinstance(value, str) for value in column):
        return None
    pieces = [_NUMBER.split(text) for text in column]
    numbers = [_NUMBER.findall(text) for text in column]
    if any(piece != pieces[0] for piece in pieces):
        return None
    series = [tuple(row[place] for row in numbers) for place in range(len(numbers[0]))]
    moving = [place for place, each in enumerate(series) if len(set(each)) > 1]
    values = tuple(int(text) for text in series[moving[0]]) if moving else ()
    if not moving or not is_progression(values):
        return None
    # Every number that moves is this one, written without zeros before it.
    if any(series[place] != tuple(map(str, values)) for place in moving):
        return None
    return values, _counting_writer(pieces[0], numbers[0], frozenset(moving)), "i"


def _counting_writer(
    pieces: list[str], numbers: list[str], moving: frozenset[int]
) -> Callable[[str], ast.expr]:
    def write(name: str) -> ast.expr:
        parts: list[ast.expr] = []
        text = pieces[0]
        for place, piece in enumerate(pieces[1:]):
            if place in moving:
                if text:
                    parts.append(ast.Constant(text))
                parts.append(ast.FormattedValue(ast.Name(name), -1))
                text = piece
            else:
                text += numbers[place] + piece
        return ast.JoinedStr([*parts, *([ast.Constant(text)] if text else [])])

    return write


def is_progression(values: Sequence[int]) -> bool:
    """Return whether whole numbers go up, or down, by the same step."""
    step = values[1] - values[0]
    return step != 0 and all(after - before == step for before, after in itertools.pairwise(values))
