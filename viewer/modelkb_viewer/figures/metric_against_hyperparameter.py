"""A metric of many experiments over one of their hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from modelkb_viewer.figures.colours import COLOURS, GREY
from modelkb_viewer.figures.curves import colour_of

_HEIGHT = 380
_SPREAD = 1.0


def metric_against_number_figure(
    frame: pd.DataFrame,
    *,
    name: str,
    metric: str,
    log: bool = False,
    colour_title: str | None = None,
) -> alt.Chart:
    """Return one point per experiment, over a hyperparameter that is a number.

    Args:
        frame: Columns ``experiment``, ``x`` (the hyperparameter) and ``y`` (the metric).
        name: What the hyperparameter is called.
        metric: What the metric is called.
        log: Whether the axis of the hyperparameter is logarithmic; its numbers are above 0.
        colour_title: What a further column ``colour`` is, that colours the points.
    """
    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    axis = alt.Axis(format="~g", grid=False, labelOverlap=True)
    x = alt.X("x:Q", title=name, scale=scale, axis=axis)
    points = alt.Chart(frame).mark_point(filled=True, size=50, opacity=0.7)
    return _coloured(points, frame, x, name=name, metric=metric, colour_title=colour_title)


def metric_against_category_figure(
    frame: pd.DataFrame,
    *,
    name: str,
    metric: str,
    order: Sequence[str],
    colour_title: str | None = None,
) -> alt.LayerChart:
    """Return a strip of points for each value of a hyperparameter, with its median and quartiles.

    Args:
        frame: Columns ``experiment``, ``x`` (the value as a text) and ``y`` (the metric).
        name: What the hyperparameter is called.
        metric: What the metric is called.
        order: The values from left to right.
        colour_title: What a further column ``colour`` is, that colours the points.
    """
    x = alt.X(
        "x:N",
        title=name,
        sort=list(order),
        axis=alt.Axis(labelAngle=-20 if len(order) > 3 else 0, labelLimit=130),
    )
    # Points are spread so that they do not hide each other, always in the same way.
    spread = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(frame))
    strip = (
        alt.Chart(frame.assign(spread=spread))
        .mark_point(filled=True, size=40, opacity=0.7)
        .encode(
            xOffset=alt.XOffset("spread:Q", scale=alt.Scale(domain=[-2 * _SPREAD, 2 * _SPREAD]))
        )
    )
    points = _coloured(strip, frame, x, name=name, metric=metric, colour_title=colour_title)
    y = alt.Y("y:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(format="~g"))
    box = (
        alt.Chart(frame)
        .mark_boxplot(
            size=44,
            outliers=False,
            box={"color": GREY, "opacity": 0.3},
            median={"color": GREY, "opacity": 1, "strokeWidth": 3},
            rule={"color": GREY},
        )
        .encode(x=x, y=y)
    )
    chart: alt.LayerChart = alt.layer(box, points).properties(height=_HEIGHT)
    return chart


def _coloured(
    points: alt.Chart,
    frame: pd.DataFrame,
    x: alt.X,
    *,
    name: str,
    metric: str,
    colour_title: str | None,
) -> alt.Chart:
    colour = colour_of(frame, colour_title, "circle") if colour_title else alt.value(COLOURS[0])
    tooltip = [
        alt.Tooltip("experiment:N", title="Experiment"),
        alt.Tooltip("x", title=name),
        alt.Tooltip("y:Q", title=metric, format=".4~g"),
    ]
    if colour_title:
        tooltip.append(alt.Tooltip("colour", title=colour_title))
    y = alt.Y("y:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(format="~g"))
    drawn: alt.Chart = points.encode(x=x, y=y, color=colour, tooltip=tooltip).properties(
        height=_HEIGHT
    )
    return drawn
