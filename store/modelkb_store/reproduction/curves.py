"""Comparing the curves of two runs, value by value."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from modelkb_store.history_names import history_name

# Values as near as this have gone through other kernels or another order of sums, no more.
RELATIVE_BOUND = 1e-3
ABSOLUTE_BOUND = 1e-5

# Split, metric and epoch; and the values there: `evaluate` may have been called several times.
_Place = tuple[str, str, int]
_Points = dict[_Place, list[float]]


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """Where two runs part.

    Attributes:
        metric: The curve, by its name in Keras' history.
        epoch: From 0, as in Keras' history.
    """

    metric: str
    epoch: int


@dataclass(frozen=True, slots=True)
class CurveComparison:
    """How far the curves of two runs agree.

    Attributes:
        compared: How many values both runs have.
        max_difference: The largest absolute difference; infinite where only one of two values is
            finite; None without a value to compare.
        first_difference: Where the first values are that differ in a bit.
        is_close: Whether all values are equal up to the bounds of this module.
        only_in_one: Curves of the training, or points of them, that only one of the runs has.
        only_evaluated_in_one: The same of the test split, which is no part of a training.
    """

    compared: int
    max_difference: float | None
    first_difference: FirstDifference | None
    is_close: bool
    only_in_one: tuple[str, ...]
    only_evaluated_in_one: tuple[str, ...]


def compare_curves(one: pa.Table, other: pa.Table) -> CurveComparison:
    """Compare the rows of ``metrics`` of two runs.

    Two values are equal if all their bits are, or if both are NaN.
    """
    first, second = _points(one), _points(other)
    pairs = list(_pairs(first, second))
    differences = [_difference(*values) for _, values in pairs]
    parted = [place for place, values in pairs if not _same_bits(*values)]
    trained, evaluated = _only_in_one(first, second)
    return CurveComparison(
        compared=len(pairs),
        max_difference=max(differences, default=None),
        first_difference=_first(parted),
        is_close=all(_is_close(*values) for _, values in pairs),
        only_in_one=trained,
        only_evaluated_in_one=evaluated,
    )


def _points(rows: pa.Table) -> _Points:
    columns = (rows[name].to_pylist() for name in ("split", "metric", "epoch", "value"))
    found: _Points = defaultdict(list)
    for split, metric, epoch, value in zip(*columns, strict=True):
        found[split, metric, epoch].append(value)
    return dict(found)


def _pairs(first: _Points, second: _Points) -> Iterator[tuple[_Place, tuple[float, float]]]:
    for place, values in first.items():
        for pair in zip(values, second.get(place, ()), strict=False):
            yield place, pair


def _only_in_one(first: _Points, second: _Points) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of curves that have points without a counterpart, tests apart."""
    lone = [
        place
        for place in dict.fromkeys([*first, *second])
        if len(first.get(place, ())) != len(second.get(place, ()))
    ]
    return _names(lone, is_test=False), _names(lone, is_test=True)


def _names(places: Sequence[_Place], *, is_test: bool) -> tuple[str, ...]:
    of_kind = [place for place in places if (place[0] == "test") == is_test]
    return tuple(dict.fromkeys(history_name(split, metric) for split, metric, _ in of_kind))


def _first(places: Sequence[_Place]) -> FirstDifference | None:
    """Return the earliest of places: training comes before validation, and this before tests."""
    if not places:
        return None
    # `min` keeps the order in which the metrics were recorded.
    split, metric, epoch = min(places, key=_moment)
    return FirstDifference(history_name(split, metric), epoch)


def _moment(place: _Place) -> tuple[bool, int, bool]:
    split, _, epoch = place
    return split == "test", epoch, split != "train"


def _same_bits(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one.hex() == other.hex()  # tells 0 from -0, too


def _difference(one: float, other: float) -> float:
    if _same_bits(one, other):
        return 0.0
    return abs(one - other) if math.isfinite(one) and math.isfinite(other) else math.inf


def _is_close(one: float, other: float) -> bool:
    difference = _difference(one, other)
    if difference == 0.0:
        return True
    bound = max(ABSOLUTE_BOUND, RELATIVE_BOUND * max(abs(one), abs(other)))
    return math.isfinite(difference) and difference <= bound
