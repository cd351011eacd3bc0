"""Constants of a program that is folded: literals, and what they are made of in a loop.

In a straight-line program every constant is a `Literal`. Where repeated parts become one, a
constant that differs between them is a `Parameter`, or is made of one: ``f"block{i}_conv"``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+|.", re.DOTALL)
_NO_FSTRING = re.compile(r"['\"\\{}]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function, or a variable of a loop.

    Attributes:
        number: Which one; negative for a variable of a loop that is looked at from outside.
        is_text: Whether its values are strings.
    """

    number: int
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Affine:
    """A whole number that follows another one: ``factor * parameter + offset``."""

    parameter: Parameter
    factor: int
    offset: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant of the program; equal only to one of the same type and spelling."""

    kind: str
    spelling: str
    value: object = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A string with parameters in it."""

    pieces: tuple[str | Parameter | Affine, ...]


Attribute = Literal | Parameter | Affine | Text
Token = str | Parameter | Affine
Replace = Callable[[Parameter], "Attribute"]


def literal(value: object) -> Literal:
    """Return a constant."""
    return Literal(type(value).__name__, repr(value), value)


@functools.lru_cache(maxsize=100_000)
def tokens(attribute: Attribute) -> tuple[Token, ...] | None:
    """Split a string into words, numbers and marks; None for what is not to be split."""
    if isinstance(attribute, Text):
        return tuple(_split(attribute.pieces))
    if isinstance(attribute, Parameter) and attribute.is_text:
        return (attribute,)
    if not isinstance(attribute, Literal) or not isinstance(attribute.value, str):
        return None
    if not attribute.value.isprintable() or _NO_FSTRING.search(attribute.value):
        return None
    return tuple(_split((attribute.value,)))


def _split(pieces: Iterable[Token]) -> Iterator[Token]:
    for piece in pieces:
        if isinstance(piece, str):
            yield from _TOKEN.findall(piece)
        else:
            yield piece


def join(parts: Iterable[Token]) -> Attribute:
    """Return the string that is made of tokens."""
    pieces: list[Token] = []
    for part in parts:
        if isinstance(part, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += part
        elif part != "":
            pieces.append(part)
    if all(isinstance(piece, str) for piece in pieces):
        return literal("".join(str(piece) for piece in pieces))
    first = pieces[0]
    if len(pieces) == 1 and isinstance(first, Parameter) and first.is_text:
        return first
    return Text(tuple(pieces))


def parameters_in(attribute: Attribute) -> Iterator[Parameter]:
    """Walk the parameters that a constant is made of."""
    pieces = attribute.pieces if isinstance(attribute, Text) else (attribute,)
    for piece in pieces:
        if isinstance(piece, Parameter):
            yield piece
        elif isinstance(piece, Affine):
            yield piece.parameter


def substitute(attribute: Attribute, replace: Replace) -> Attribute:
    """Return a constant with its parameters replaced."""
    if isinstance(attribute, Literal):
        return attribute
    if isinstance(attribute, Parameter):
        return replace(attribute)
    if isinstance(attribute, Affine):
        return _affine(attribute, replace(attribute.parameter))
    return join(part for piece in attribute.pieces for part in _replaced(piece, replace))


def _replaced(piece: Token, replace: Replace) -> Iterator[Token]:
    if isinstance(piece, str):
        yield piece
        return
    new = substitute(piece, replace)
    if isinstance(new, Literal):
        yield str(new.value)
    elif isinstance(new, Text):
        yield from new.pieces
    else:
        yield new


def _affine(old: Affine, new: Attribute) -> Attribute:
    """Put what a parameter is into a number that follows it."""
    if isinstance(new, Literal):
        assert isinstance(new.value, int)
        return literal(old.factor * new.value + old.offset)
    if isinstance(new, Affine):
        return Affine(new.parameter, old.factor * new.factor, old.factor * new.offset + old.offset)
    assert isinstance(new, Parameter)
    return Affine(new, old.factor, old.offset)
