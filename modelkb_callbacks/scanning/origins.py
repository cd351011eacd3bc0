"""What a value was made from: layers, parts of datasets, and what was done to it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, order=True)
class LayerSite:
    """The place in the source where a layer is made.

    Attributes:
        line: Its line.
        column: Its column.
        name: The layer's class.
    """

    line: int
    column: int
    name: str


@dataclass(frozen=True, slots=True)
class DataPart:
    """A part of a dataset that a value came from.

    Attributes:
        loader: Canonical name of what loaded it.
        line: Where.
        split: ``train``, ``test``, or empty.
        role: ``x``, ``y``, or empty.
    """

    loader: str
    line: int
    split: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Fed:
    """What a generator or a PyDataset of the source gives.

    Attributes:
        node: The call that makes it.
    """

    node: ast.AST


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done to a value, such as ``input`` or ``one-hot``."""

    name: str


Origin: TypeAlias = LayerSite | DataPart | Fed | Mark
INPUT = Mark("input")
ONE_HOT = Mark("one-hot")
CHANGED = Mark("changed")
PART = Mark("part")
DATASET = Mark("tf.data")
NO_ORIGINS: frozenset[Origin] = frozenset()


def changed(origins: frozenset[Origin]) -> frozenset[Origin]:
    """Return the origins of something computed from what has these; none stay none."""
    return origins | {CHANGED} if origins else origins
