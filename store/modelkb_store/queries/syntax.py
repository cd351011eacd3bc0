"""What a query says, as a tree of frozen records. Positions are characters of its text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written in the query."""

    value: str | bool | int | float
    position: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """A list of values that is written in the query."""

    items: tuple[Literal, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of asking, or one some time from it."""

    offset: timedelta
    position: int


@dataclass(frozen=True, slots=True)
class Name:
    """A column, parameter, metric or key: ``params.optimizer.momentum``, ``metrics.loss@3``."""

    parts: tuple[str, ...]
    epoch: int | None
    position: int

    def __str__(self) -> str:
        epoch = "" if self.epoch is None else f"@{self.epoch}"
        return ".".join(self.parts) + epoch


@dataclass(frozen=True, slots=True)
class LayerClass:
    """A layer of some class (of any, without a name), on which a condition may be."""

    class_name: str | None
    condition: Condition | None
    position: int


@dataclass(frozen=True, slots=True)
class LayerPattern:
    """A layer that is one of several, and beyond that has something in common with them."""

    alternatives: tuple[LayerClass, ...]
    condition: Condition | None
    height: int


@dataclass(frozen=True, slots=True)
class LayerCount:
    """How many layers of the model are so."""

    pattern: LayerPattern
    position: int
    height: int


Operand = Literal | ListLiteral | Now | Name | LayerCount


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``; the operator is one of ``= != < <= > >=``."""

    left: Operand
    operator: str
    right: Operand
    position: int


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a value is one of those listed."""

    operand: Operand
    values: ListLiteral
    position: int


@dataclass(frozen=True, slots=True)
class Containment:
    """Whether a list, such as tags, has a value in it."""

    item: Literal
    operand: Operand
    position: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whether a text is like a pattern with ``%`` and ``_``."""

    operand: Operand
    pattern: str
    ignore_case: bool
    position: int


@dataclass(frozen=True, slots=True)
class Absence:
    """Whether there is no value; or, of ``is nan``, one that is no number."""

    operand: Operand
    nan: bool
    position: int


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether a truth value is true."""

    operand: Operand
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """A relation to another experiment, such as ``differs('ID', only='optimizer')``."""

    function: str
    arguments: tuple[Literal, ...]
    keywords: tuple[tuple[str, tuple[Literal, ...]], ...]
    position: int


class Arrow(str, Enum):
    """How one layer follows another."""

    DIRECTLY = "->"
    LATER = "->>"


@dataclass(frozen=True, slots=True)
class LayerChain:
    """Whether the model has layers that follow each other so."""

    patterns: tuple[LayerPattern, ...]
    arrows: tuple[Arrow, ...]
    position: int
    height: int


@dataclass(frozen=True, slots=True)
class Negation:
    """``not``."""

    condition: Condition
    height: int


@dataclass(frozen=True, slots=True)
class Conjunction:
    """``and``."""

    conditions: tuple[Condition, ...]
    height: int


@dataclass(frozen=True, slots=True)
class Disjunction:
    """``or``."""

    conditions: tuple[Condition, ...]
    height: int


Condition = (
    Comparison
    | Membership
    | Containment
    | Likeness
    | Absence
    | Truth
    | Call
    | LayerChain
    | Negation
    | Conjunction
    | Disjunction
)


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One thing to sort by."""

    operand: Operand
    descending: bool


def height_of(node: object) -> int:
    """Return how many levels of conditions are in a node."""
    return getattr(node, "height", 0)


def names_in(node: object) -> Iterator[Name]:
    """Yield the names of a query that are of experiments, not those of layers."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            yield node
        elif isinstance(node, tuple):
            waiting.extend(node)
        elif dataclasses.is_dataclass(node) and not isinstance(node, LayerPattern):
            waiting.extend(getattr(node, field.name) for field in dataclasses.fields(node))
