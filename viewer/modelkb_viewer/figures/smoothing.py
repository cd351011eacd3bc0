"""Curves made smooth, and curves of many points drawn with fewer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

MOST_SMOOTHING = 0.99


def smoothed(frame: pd.DataFrame, lines: Sequence[str], weight: float) -> pd.Series:
    """Return the exponential moving average of each line's values.

    It is debiased: divided by the sum of the weights so far, so that a line starts at its first
    value instead of near zero. What is missing or not finite stays missing and counts for nothing.

    Args:
        frame: Points in their order, with a column ``value``.
        lines: The columns that say which line a point is of.
        weight: How much of the average before is kept, from 0 (nothing is changed) to 0.99.

    Returns:
        One value per point, with the index of the frame.

    Raises:
        ValueError: The weight is out of range.
    """
    if not 0 <= weight <= MOST_SMOOTHING:
        raise ValueError(f"Invalid value for weight: {weight}. Expected 0 to {MOST_SMOOTHING}.")
    finite: pd.Series = frame["value"].astype("float64").where(np.isfinite(frame["value"]))
    if not weight or frame.empty:
        return finite
    # pandas' `adjust` is just this division.
    average = finite.groupby([frame[name] for name in lines], observed=True).transform(
        lambda values: values.ewm(alpha=1 - weight, adjust=True, ignore_na=True).mean()
    )
    shown: pd.Series = average.where(finite.notna())
    return shown


def thinned(frame: pd.DataFrame, lines: Sequence[str], most: int) -> pd.DataFrame:
    """Return at most so many points of each line, in their order: the peaks stay.

    Args:
        frame: Points in their order, with a column ``value`` without missing values.
        lines: The columns that say which line a point is of.
        most: Of each stretch of a longer line its lowest and its highest point are kept, so that
            there are no more than this many.
    """
    groups = frame.groupby(list(lines), observed=True, sort=False)
    counts = groups["value"].transform("size")
    if not (counts > most).any():
        return frame
    stretch = groups.cumcount() * (most // 2) // counts
    long = frame[counts > most]
    stretches = long.groupby([*(long[name] for name in lines), stretch[counts > most]])["value"]
    kept = set(stretches.idxmin()) | set(stretches.idxmax()) | set(frame.index[counts <= most])
    few: pd.DataFrame = frame[frame.index.isin(kept)]
    return few
