from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.content.hyperparameter_values import Hyperparameter, as_hyperparameter
from modelkb_viewer.content.importance import epsilon_squared, importances, ranks_of


def sweep_of(runs: int, seed: int = 0) -> tuple[list[Hyperparameter], pd.Series]:
    """Runs with a better optimizer, and a rate that is best in the middle."""
    random = np.random.default_rng(seed)
    rate, noise = random.uniform(0, 1, runs), random.uniform(0, 1, runs)
    optimizer = random.choice(["adam", "sgd"], runs)
    accuracy = 0.5 + 0.3 * (optimizer == "adam") - 0.8 * np.abs(rate - 0.5)
    columns = {"noise": noise, "optimizer": optimizer, "rate": rate}
    found = [as_hyperparameter(name, pd.Series(column)) for name, column in columns.items()]
    return found, pd.Series(accuracy)


def test_what_decides_comes_first_and_noise_stays_below_chance() -> None:
    found = importances(*sweep_of(80), "val_accuracy")
    assert found["hyperparameter"].tolist() == ["optimizer", "rate", "noise"]
    optimizer, rate, noise = found.itertuples()
    assert optimizer.importance > 0.3
    # The best rate is in the middle: no correlation would show it.
    assert rate.importance > rate.chance
    assert noise.importance < noise.chance
    assert (found["runs"] == 80).all()


def test_the_same_page_twice_shows_the_same() -> None:
    first, second = (importances(*sweep_of(30), "val_accuracy") for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_chance_alone_rarely_stands_out() -> None:
    random = np.random.default_rng(1)
    columns = [as_hyperparameter(str(n), pd.Series(random.normal(size=40))) for n in range(10)]
    stands_out = 0
    for _ in range(30):
        found = importances(columns, pd.Series(random.normal(size=40)), "loss")
        stands_out += int((found["importance"] > found["chance"]).any())
    assert stands_out <= 6


def test_too_few_runs_and_equal_metrics_tell_nothing() -> None:
    assert importances(*sweep_of(9), "val_accuracy").empty
    hyperparameters, _ = sweep_of(20)
    assert importances(hyperparameters, pd.Series([0.5] * 20), "val_accuracy").empty


def test_a_value_of_its_own_in_each_run_is_left_out() -> None:
    names = as_hyperparameter("run_name", pd.Series([f"run {number}" for number in range(20)]))
    assert importances([names], pd.Series(range(20), dtype=float), "loss").empty


def test_what_diverged_is_last_whatever_is_better() -> None:
    values = pd.Series([0.1, math.nan, 0.3])
    assert ranks_of(values, "loss").tolist() == [1, 3, 2]
    assert ranks_of(values, "accuracy").tolist() == [2, 3, 1]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(-10, 10)), min_size=10, max_size=40).filter(
        lambda runs: len({round(value, 3) for _, value in runs}) > 2
    )
)
def test_the_share_is_between_nothing_and_all(runs: list[tuple[int, float]]) -> None:
    codes = np.array([code for code, _ in runs])
    values = np.array([[value for _, value in runs]])
    (share,) = epsilon_squared(values, codes)
    assert 0 <= share <= 1


def test_the_share_by_hand() -> None:
    values = np.array([[1.0, 2.0, 3.0, 4.0]])
    # Between: 2 * 1^2 * 2 = 4; within: 4 * 0.25 = 1; (4 - 1 * 1 / 2) / 5.
    assert epsilon_squared(values, np.array([0, 0, 1, 1])) == pytest.approx([0.7])
    assert epsilon_squared(values, np.array([5, 2, 2, 5])) == pytest.approx([0.0])
