"""How much a query asks for; so that none keeps a machine busy for minutes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from modelkb_store.queries.syntax import (
    Absence,
    Call,
    Comparison,
    Containment,
    LayerClass,
    Likeness,
    Membership,
    Name,
    Truth,
)

MOST_CONDITIONS = 5000
MOST_COSTLY = 100
_SIMPLE = (Absence, Comparison, Containment, Likeness, Membership, Truth)


def first_too_many(tree: object) -> tuple[str, int] | None:
    """Return what a query has too many of, and the position of the first beyond the limit.

    Costly are layers, relations and values of epochs, each of which reads or walks over a
    table of its own.
    """
    simple: list[int] = []
    costly: list[int] = []
    for node in _nodes(tree):
        if isinstance(node, (Call, LayerClass, Name)):
            if not isinstance(node, Name) or node.epoch is not None:
                costly.append(node.position)
        elif isinstance(node, _SIMPLE):
            simple.append(node.position)
    if len(costly) > MOST_COSTLY:
        what = f"{MOST_COSTLY} layers, relations and values of epochs"
        return what, sorted(costly)[MOST_COSTLY]
    if len(simple) > MOST_CONDITIONS:
        return f"{MOST_CONDITIONS} conditions", sorted(simple)[MOST_CONDITIONS]
    return None


def _nodes(tree: object) -> Iterator[object]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend(node)
        elif dataclasses.is_dataclass(node):
            yield node
            waiting.extend(getattr(node, field.name) for field in dataclasses.fields(node))
