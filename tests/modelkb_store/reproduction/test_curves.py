from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest

from modelkb_store.reproduction.curves import CurveComparison, FirstDifference, compare_curves

Points = Sequence[tuple[str, str, int, float]]


def rows(points: Points) -> pa.Table:
    names = ("split", "metric", "epoch", "value")
    columns = zip(*points, strict=True) if points else [[]] * len(names)
    return pa.table(dict(zip(names, map(list, columns), strict=True)))


def compared(one: Points, other: Points) -> CurveComparison:
    return compare_curves(rows(one), rows(other))


def losses(*values: float) -> Points:
    return [("train", "loss", epoch, value) for epoch, value in enumerate(values)]


def test_equal_curves_have_no_difference() -> None:
    found = compared(losses(1.0, 0.5, math.nan, math.inf), losses(1.0, 0.5, math.nan, math.inf))

    assert found == CurveComparison(4, 0.0, None, True, (), ())


def test_nothing_to_compare_has_no_difference_at_all() -> None:
    assert compared([], []) == CurveComparison(0, None, None, True, (), ())


def test_the_last_bit_counts_but_is_close() -> None:
    found = compared(losses(1.0, 0.1), losses(1.0, math.nextafter(0.1, 1)))

    assert found.first_difference == FirstDifference("loss", 1)
    assert found.max_difference == math.nextafter(0.1, 1) - 0.1
    assert found.is_close


def test_a_negative_zero_is_another_value() -> None:
    found = compared(losses(0.0), losses(-0.0))

    assert found.first_difference == FirstDifference("loss", 0)
    assert found.max_difference == 0.0


@pytest.mark.parametrize(
    ("one", "other", "is_close"),
    [
        (1.0, 1.0009, True),
        (1.0, 1.0011, False),
        (-1000.0, -1000.9, True),
        (1e-7, 9e-6, True),  # far apart, but next to nothing
        (0.0, 2e-5, False),
        (math.nan, 1.0, False),
        (1.0, math.inf, False),
        (math.inf, -math.inf, False),
    ],
)
def test_close_is_a_thousandth_or_next_to_nothing(one: float, other: float, is_close: bool) -> None:
    assert compared(losses(one), losses(other)).is_close is is_close
    assert compared(losses(other), losses(one)).is_close is is_close


def test_a_value_that_is_not_finite_differs_without_end() -> None:
    assert compared(losses(1.0, 2.0), losses(1.5, math.nan)).max_difference == math.inf


def test_the_first_difference_is_of_the_first_epoch_and_training_comes_first() -> None:
    points = [
        ("validation", "loss", 1, 1.0),
        ("train", "mae", 1, 1.0),
        ("train", "loss", 1, 1.0),
        ("validation", "loss", 0, 1.0),
        ("test", "loss", 0, 1.0),
        ("train", "loss", 0, 1.0),
    ]
    other = [(split, metric, epoch, 2.0) for split, metric, epoch, _ in points]

    def first(places: Mapping[int, None]) -> FirstDifference | None:
        return compared(
            points, [(other if i in places else points)[i] for i in range(6)]
        ).first_difference

    assert first(dict.fromkeys(range(6))) == FirstDifference("loss", 0)
    assert first(dict.fromkeys(range(5))) == FirstDifference("val_loss", 0)
    assert first(dict.fromkeys([0, 1, 2, 4])) == FirstDifference("mae", 1)
    assert first(dict.fromkeys([0, 4])) == FirstDifference("val_loss", 1)
    assert first(dict.fromkeys([4])) == FirstDifference("test_loss", 0)


def test_what_only_one_has_is_named_once_and_tests_apart() -> None:
    one = [*losses(1.0, 0.5, 0.2), ("validation", "loss", 0, 1.0), ("test", "loss", 2, 1.0)]
    found = compared(one, [*losses(1.0), ("train", "lr", 0, 0.1)])

    assert found.compared == 1
    assert found.only_in_one == ("loss", "val_loss", "lr")
    assert found.only_evaluated_in_one == ("test_loss",)


def test_several_evaluations_are_compared_in_their_order() -> None:
    one = [("test", "loss", 2, 1.0), ("test", "loss", 2, 3.0)]

    assert compared(one, one).first_difference is None
    assert compared(one, one[::-1]).first_difference == FirstDifference("test_loss", 2)
    found = compared(one, one[:1])
    assert (found.compared, found.first_difference) == (1, None)
    assert found.only_evaluated_in_one == ("test_loss",)
