"""The importance of hyperparameters as bars."""

from __future__ import annotations

import altair as alt
import pandas as pd

from modelkb_viewer.figures.colours import COLOURS, GREY

_BAR_HEIGHT = 26
_HEIGHT_OF_AXIS_AND_LEGEND = 130


def importance_figure(frame: pd.DataFrame) -> alt.LayerChart:
    """Return a bar for each hyperparameter, and a dashed line at what chance alone reaches.

    Args:
        frame: As of :func:`modelkb_viewer.content.importance.importances`.
    """
    stands_out = frame["importance"] > frame["chance"]
    shown = frame.assign(
        says=stands_out.map({True: "More than chance", False: "May be chance"}),
        text=[f"{value:.2f}" for value in frame["importance"]],
    )
    names = shown["hyperparameter"].tolist()
    y = alt.Y(
        "hyperparameter:N",
        sort=names,
        title=None,
        axis=alt.Axis(labelLimit=170, labelOverlap=False),
    )
    scale = alt.Scale(domain=[0, max(0.05, min(1.0, 1.15 * float(_largest(shown))))], nice=False)
    x = alt.X("importance:Q", title="Importance", scale=scale, axis=alt.Axis(format="~g"))
    tooltip = [
        alt.Tooltip("hyperparameter:N", title="Hyperparameter"),
        alt.Tooltip("importance:Q", title="Importance", format=".3f"),
        alt.Tooltip("chance:Q", title="Chance reaches", format=".3f"),
        alt.Tooltip("groups:Q", title="Groups of values"),
        alt.Tooltip("runs:Q", title="Runs"),
    ]
    colour = alt.Color(
        "says:N",
        title=None,
        scale=alt.Scale(domain=["More than chance", "May be chance"], range=[COLOURS[0], GREY]),
        legend=alt.Legend(orient="bottom", columns=1),  # side by side they are cut on a phone
    )
    bars = alt.Chart(shown).mark_bar().encode(x=x, y=y, color=colour, tooltip=tooltip)
    texts = (
        alt.Chart(shown)
        .mark_text(align="left", dx=4, color=GREY)
        .encode(x=alt.X("importance:Q"), y=y, text="text:N")
    )
    rule = alt.Chart(shown.head(1)).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="chance:Q")
    height = _HEIGHT_OF_AXIS_AND_LEGEND + _BAR_HEIGHT * len(shown)
    chart: alt.LayerChart = alt.layer(bars, texts, rule).properties(height=height)
    return chart


def _largest(frame: pd.DataFrame) -> float:
    return float(frame[["importance", "chance"]].max().max())
