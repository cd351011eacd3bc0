"""Where a sequence repeats itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_MULTIPLES = 4
_LONGEST_PERIOD = 3000


@dataclass(frozen=True, slots=True)
class Run:
    """A part in which everything is equal to what comes `period` places later.

    Attributes:
        period: The length of what is repeated.
        start: The first place of the run.
        end: The place after its last one.
    """

    period: int
    start: int
    end: int


def runs(sequence: Sequence[int]) -> list[Run]:
    """Return where something is repeated at least once, side by side, for each period."""
    array = np.asarray(sequence)
    found: list[Run] = []
    for period in range(1, min(len(array) // 2, _LONGEST_PERIOD) + 1):
        differ = np.flatnonzero(array[period:] != array[:-period])
        edges = np.concatenate(([-1], differ, [len(array) - period]))
        long = np.flatnonzero(np.diff(edges) > period)
        found += [Run(period, int(edges[each]) + 1, int(edges[each + 1]) + period) for each in long]
    return list(_without_multiples(found))


def _without_multiples(found: list[Run]) -> Iterator[Run]:
    """Leave out twice, three times .. the same period, but for the first few."""
    primitive: dict[tuple[int, int], list[int]] = {}
    for run in found:
        place = run.start, run.end
        periods = primitive.setdefault(place, [])
        divisors = [each for each in periods if run.period % each == 0]
        if not divisors:
            periods.append(run.period)
        if not divisors or run.period <= _MULTIPLES * divisors[0]:
            yield run


class Periodic:
    """Tells which parts of a sequence repeat something in themselves."""

    def __init__(self, sequence: Sequence[int]) -> None:
        found = runs(sequence)
        self._ends = np.array([run.end for run in found], dtype=np.int64)
        self._starts = np.array([run.start for run in found], dtype=np.int64)
        self._periods = np.array([run.period for run in found], dtype=np.int64)

    def is_periodic(self, start: int, end: int) -> bool:
        """Return whether a part is the same twice or more often, one after another."""
        within = (self._starts <= start) & (self._ends >= end)
        return bool(np.any(within & (2 * self._periods <= end - start)))


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part that is at several places.

    Attributes:
        length: How long it is.
        one: One of the places where it begins.
        count: At how many places it begins.
    """

    length: int
    one: int
    count: int
    _all: np.ndarray

    def places(self) -> list[int]:
        """Return where it begins, in order."""
        found: list[int] = np.sort(self._all).tolist()
        return found


def repeated(sequence: Sequence[int]) -> Iterator[Repeated]:
    """Walk the parts that are at several places and are no longer the same if they are longer."""
    array = np.asarray(sequence)
    if len(array) < 2:
        return
    order = _suffixes(array)
    common = _common(array, order)
    stack: list[tuple[int, int]] = []  # (length, from where in `order`)
    for place in range(1, len(order) + 1):
        length = int(common[place]) if place < len(order) else 0
        begin = place - 1
        while stack and stack[-1][0] > length:
            longest, begin = stack.pop()
            yield Repeated(longest, int(order[begin]), place - begin, order[begin:place])
        if length and (not stack or stack[-1][0] < length):
            stack.append((length, begin))


def _suffixes(array: np.ndarray) -> np.ndarray:
    """Return the places in the order of what follows them."""
    size = len(array)
    rank = np.unique(array, return_inverse=True)[1].astype(np.int64)
    width = 1
    while True:
        second = np.full(size, -1, dtype=np.int64)
        second[: size - width] = rank[width:]
        order = np.lexsort((second, rank))
        new = np.zeros(size, dtype=np.int64)
        changed = (np.diff(rank[order]) != 0) | (np.diff(second[order]) != 0)
        new[order[1:]] = np.cumsum(changed)
        rank = new
        width *= 2
        if width >= size or rank.max() == size - 1:
            return np.argsort(rank, kind="stable")


def _common(array: np.ndarray, order: np.ndarray) -> list[int]:
    """Return how much each suffix has in common with the one before it in their order."""
    size = len(array)
    values = array.tolist()
    rank = np.empty(size, dtype=np.int64)
    rank[order] = np.arange(size)
    ranks, orders = rank.tolist(), order.tolist()
    common = [0] * size
    length = 0
    for place in range(size):
        if ranks[place] == 0:
            length = 0
            continue
        other = orders[ranks[place] - 1]
        while (
            place + length < size
            and other + length < size
            and values[place + length] == values[other + length]
        ):
            length += 1
        common[ranks[place]] = length
        length = max(length - 1, 0)
    return common
