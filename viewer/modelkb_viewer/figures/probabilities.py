"""The most likely classes of one sample, as bars."""

from __future__ import annotations

import altair as alt
import pandas as pd

MOST_BARS = 10


def probability_bars(likely: pd.DataFrame) -> alt.LayerChart:
    """Return bars of the most likely classes or labels.

    Args:
        likely: A name in the first column, then ``Probability``; the most likely first.
    """
    frame = likely.head(MOST_BARS).copy()
    name = str(frame.columns[0])
    frame[name] = frame[name].astype(str)
    order = frame[name].tolist()
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{name}:N", sort=order, title=name, axis=alt.Axis(labelLimit=160)),
        x=alt.X(
            "Probability:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        tooltip=[alt.Tooltip(f"{name}:N"), alt.Tooltip("Probability:Q", format=".4~g")],
    )
    figure: alt.LayerChart = alt.layer(base.mark_bar()).properties(height=alt.Step(24))
    return figure
