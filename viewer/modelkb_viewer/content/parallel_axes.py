"""Hyperparameters and a metric side by side as axes, each experiment a line across them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from modelkb_viewer.content.hyperparameter_values import (
    NOT_SET,
    Hyperparameter,
    as_hyperparameter,
    as_text,
    format_number,
)

# Below the axis, where what has no value is drawn.
NOT_SET_POSITION = -0.12
_MOST_TICKS = 12
_FEW_NUMBERS = 4


@dataclass(frozen=True)
class ParallelAxes:
    """What a plot in parallel coordinates shows.

    Attributes:
        points: Where each experiment crosses each axis: columns ``experiment``, ``axis``,
            ``position`` (0, the bottom, to 1), ``shown`` (the value as a text) and ``metric`` (the
            number that the lines are coloured by).
        ticks: What stands at the axes: columns ``axis``, ``position`` and ``shown``.
        names: The axes from left to right; the last one is the metric.
    """

    points: pd.DataFrame
    ticks: pd.DataFrame
    names: list[str]


def parallel_axes(
    hyperparameters: Sequence[Hyperparameter], values: pd.Series, metric: str
) -> ParallelAxes:
    """Return axes for hyperparameters and, as the last one, a metric.

    Numbers go from the smallest to the largest, by their logarithm where they go over decades;
    texts stand in equal distances in the order of the alphabet.

    Args:
        hyperparameters: Their values are in the order of ``values``.
        values: The metric, by the label of the experiment.
        metric: Its name.
    """
    axes = [*hyperparameters, as_hyperparameter(metric, values)]
    points, ticks = [], []
    for each in axes:
        positions, marks = _positions(each)
        points.append(
            pd.DataFrame(
                {
                    "experiment": values.index,
                    "axis": each.name,
                    "position": positions.to_numpy(),
                    "shown": [as_text(value) for value in each.values],
                    "metric": values.to_numpy(),
                }
            )
        )
        marks["axis"] = each.name
        ticks.append(marks)
    names = [each.name for each in axes]
    return ParallelAxes(
        pd.concat(points, ignore_index=True), pd.concat(ticks, ignore_index=True), names
    )


def _positions(axis: Hyperparameter) -> tuple[pd.Series, pd.DataFrame]:
    """Return where the values are on their axis, and the ticks of it."""
    known = axis.values.dropna()
    if axis.is_numeric:
        scaled = np.log(known) if axis.is_wide else known
        low, high = float(scaled.min()), float(scaled.max())
        positions = (scaled - low) / (high - low)
        numbers = sorted(scaled.unique())
        if len(numbers) > _FEW_NUMBERS:
            numbers = [low, (low + high) / 2, high]
        texts = [format_number(float(np.exp(n) if axis.is_wide else n)) for n in numbers]
        places = [(number - low) / (high - low) for number in numbers]
        ticks = pd.DataFrame({"position": places, "shown": texts})
    else:
        names = sorted(set(known))
        place = dict(zip(names, np.linspace(0, 1, len(names)), strict=True))
        if len(names) == 1:
            place = {names[0]: 0.5}
        positions = known.map(place)
        ticks = pd.DataFrame({"position": list(place.values()), "shown": names})
        ticks = ticks.iloc[:: -(-len(ticks) // _MOST_TICKS) or 1]
    if len(known) < len(axis.values):
        ticks.loc[-1] = [NOT_SET_POSITION, NOT_SET]
    filled = positions.astype("float64").reindex(axis.values.index).fillna(NOT_SET_POSITION)
    return filled, ticks
