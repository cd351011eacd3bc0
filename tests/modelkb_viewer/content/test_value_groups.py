from __future__ import annotations

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.content.hyperparameter_values import NOT_SET, as_hyperparameter
from modelkb_viewer.content.value_groups import value_groups


def groups_of(values: list[object]) -> pd.Series:
    return value_groups(as_hyperparameter("x", pd.Series(values)))


def test_few_numbers_are_groups_from_small_to_large() -> None:
    found = groups_of([10, 2, 2, 10, 2])
    assert list(found.cat.categories) == ["2", "10"]


def test_many_numbers_are_put_into_ranges() -> None:
    found = groups_of([float(number) for number in range(20)])
    assert list(found.cat.categories) == ["0 to 4", "5 to 9", "10 to 14", "15 to 19"]


def test_what_is_not_set_is_a_group_of_its_own() -> None:
    found = groups_of(["sgd", None, "adam"])
    assert list(found.cat.categories) == ["adam", "sgd", NOT_SET]


@given(
    st.lists(
        st.one_of(st.floats(allow_infinity=False, width=32), st.none()), min_size=2, max_size=60
    )
)
def test_every_experiment_has_one_group_and_groups_do_not_overlap(
    numbers: list[float | None],
) -> None:
    values = pd.Series(numbers, dtype="float64")
    hyperparameter = as_hyperparameter("x", values)
    found = value_groups(hyperparameter)
    assert found.notna().all()
    assert len(found) == len(values)
    if hyperparameter.is_numeric:
        known = values[values.notna()]
        assert (found[known.index] != NOT_SET).all()
        highest = -math.inf
        for group in found.cat.categories.drop(NOT_SET, errors="ignore"):
            members = known[found[known.index] == group]
            assert members.min() > highest
            highest = members.max()
