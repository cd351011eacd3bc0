"""How far the predictions of a regression are off, as a histogram."""

from __future__ import annotations

import altair as alt
import pandas as pd

from modelkb_viewer.figures.colours import COLOURS, GREY


def residuals_figure(bins: pd.DataFrame) -> alt.LayerChart:
    """Return a histogram of residuals, with a line where there is none.

    Args:
        bins: Columns ``low`` and ``high``, the edges of each bin, and ``count``.
    """
    bars = (
        alt.Chart(bins)
        .mark_bar(color=COLOURS[0], stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("low:Q", title="True minus predicted value", scale=alt.Scale(nice=False)),
            x2="high:Q",
            y=alt.Y("count:Q", title="Values"),
            y2=alt.datum(0),  # else a bin with two edges is drawn as a line at its height
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".4~g"),
                alt.Tooltip("high:Q", title="To", format=".4~g"),
                alt.Tooltip("count:Q", title="Values", format=",d"),
            ],
        )
    )
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(color=GREY, strokeDash=[4, 3])
    chart: alt.LayerChart = alt.layer(bars, zero.encode(x="at:Q")).properties(
        height=320, width="container"
    )
    return chart
