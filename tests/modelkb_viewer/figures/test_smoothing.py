from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.figures.smoothing import smoothed, thinned

VALUES = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf])), min_size=1, max_size=30
)


def frame_of(*lines: list[float]) -> pd.DataFrame:
    points = [(name, value) for name, line in enumerate(lines) for value in line]
    return pd.DataFrame(points, columns=["line", "value"])


def by_hand(values: list[float], weight: float) -> list[float]:
    average, weights, found = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):
            average = weight * average + (1 - weight) * value
            weights = weight * weights + (1 - weight)
            found.append(average / weights)
        else:
            found.append(math.nan)
    return found


@given(first=VALUES, second=VALUES, weight=st.floats(0, 0.99))
def test_smoothing_is_the_debiased_average_of_each_line(
    first: list[float], second: list[float], weight: float
) -> None:
    found = smoothed(frame_of(first, second), ["line"], weight)
    expected = by_hand(first, weight) + by_hand(second, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("weight", [-0.1, 1.0])
def test_a_weight_out_of_range_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        smoothed(frame_of([1.0]), ["line"], weight)


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=200),
    most=st.integers(min_value=4, max_value=50),
)
def test_thinning_keeps_the_peaks_and_the_order(values: list[float], most: int) -> None:
    short = [1.0, 2.0, 3.0]
    frame = frame_of(values, short)
    found = thinned(frame, ["line"], most)
    kept = found[found["line"] == 0]
    assert len(kept) <= most
    assert kept["value"].min() == min(values)
    assert kept["value"].max() == max(values)
    assert list(found.index) == sorted(found.index)
    assert found[found["line"] == 1]["value"].tolist() == short
