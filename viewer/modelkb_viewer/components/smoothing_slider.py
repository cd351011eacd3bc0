"""How much curves are smoothed."""

from __future__ import annotations

from typing import Any

from modelkb_viewer import addresses
from modelkb_viewer.figures.smoothing import MOST_SMOOTHING


def choose_smoothing(place: Any) -> float:
    """Draw the slider, which is kept in the address.

    Args:
        place: Where, such as a column.

    Returns:
        From 0 to 0.99.
    """
    smoothing: float = place.slider(
        "Smoothing",
        0.0,
        MOST_SMOOTHING,
        0.0,
        0.01,
        key=addresses.SMOOTHING,
        bind="query-params",
        help="Exponential moving average: how much of the average before is kept.",
    )
    return smoothing
