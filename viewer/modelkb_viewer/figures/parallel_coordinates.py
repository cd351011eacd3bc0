"""Many experiments as lines across the axes of their hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from modelkb_viewer.figures.colours import GREY, metric_colour

_HEIGHT = 420
_FEW_LINES = 25
_BEYOND = 0.035


def parallel_coordinates_figure(
    points: pd.DataFrame, ticks: pd.DataFrame, names: Sequence[str]
) -> alt.LayerChart:
    """Return a plot in parallel coordinates; pointing at a line brings it to the front.

    Args:
        points: Columns ``experiment``, ``axis``, ``position`` (0 to 1; below 0 for what has no
            value), ``shown`` and ``metric``, which the lines are coloured by.
        ticks: What stands at the axes: columns ``axis``, ``position`` and ``shown``.
        names: The axes from left to right; the last one is the metric.
    """
    metric = names[-1]
    x = alt.X(
        "axis:N",
        sort=list(names),
        title=None,
        scale=alt.Scale(type="point", padding=0.5),
        axis=alt.Axis(
            orient="top",
            labelAngle=-20,
            labelLimit=130,
            labelOverlap=False,
            domain=False,
            ticks=False,
            grid=True,
        ),
    )
    lowest = min(0.0, float(points["position"].min())) if len(points) else 0.0
    y = alt.Y(
        "position:Q",
        axis=None,
        scale=alt.Scale(domain=[lowest - 2 * _BEYOND, 1 + 2 * _BEYOND], nice=False),
    )
    nearest = alt.selection_point(
        on="pointerover", nearest=True, fields=["experiment"], clear="pointerout"
    )
    opacity = max(0.15, min(0.8, _FEW_LINES / max(1, points["experiment"].nunique())))
    is_near = alt.when(nearest)
    base = alt.Chart(points).encode(x=x, y=y, detail="experiment:N")
    lines = base.mark_line(strokeWidth=1.5, interpolate="monotone").encode(
        color=metric_colour("metric", metric),
        opacity=is_near.then(alt.value(opacity)).otherwise(alt.value(0.06)),
    )
    tooltip = [
        alt.Tooltip("experiment:N", title="Experiment"),
        alt.Tooltip("axis:N", title="Axis"),
        alt.Tooltip("shown:N", title="Value"),
        alt.Tooltip("metric:Q", title=metric, format=".4~g"),
    ]
    crossings = (
        base.mark_point(size=60, opacity=0, filled=True).encode(tooltip=tooltip).add_params(nearest)
    )
    texts = [each.encode(x=x, y=y, text="shown:N") for each in _texts(ticks)]
    chart: alt.LayerChart = alt.layer(lines, crossings, *texts).properties(height=_HEIGHT)
    return chart


def _texts(ticks: pd.DataFrame) -> list[alt.Chart]:
    # What stands at the ends of an axis is put beyond them, where no line crosses it.
    is_end = ticks["position"].isin([0, 1])
    ends = ticks[is_end]
    beyond = ends.assign(position=ends["position"] + (2 * ends["position"] - 1) * _BEYOND)
    style: Any = {"color": GREY, "fontSize": 12, "fontWeight": "bold", "limit": 110}
    return [
        alt.Chart(beyond).mark_text(**style),
        alt.Chart(ticks[~is_end]).mark_text(align="left", dx=5, **style),
    ]
