"""How many samples each class has, as bars."""

from __future__ import annotations

import altair as alt
import pandas as pd

from modelkb_viewer.figures.colours import COLOURS
from modelkb_viewer.figures.confusion_matrix import class_labels

_MANY = 30


def class_counts_figure(counts: pd.DataFrame) -> alt.Chart:
    """Return bars of training and validation data side by side.

    Args:
        counts: Columns ``place`` (of the class), ``class``, ``data`` and ``count``.
    """
    names = counts.drop_duplicates("place").sort_values("place")
    labels = dict(zip(names["place"], class_labels(names["class"]), strict=True))
    frame = counts.assign(label=counts["place"].map(labels))
    data = list(dict.fromkeys(frame["data"]))
    domain = list(labels.values())
    angle = 0 if max(map(len, domain), default=0) * len(domain) < 60 else -45
    axis = alt.Axis(labelOverlap=True, labelAngle=angle, labelLimit=110)
    colour = alt.Color(
        "data:N",
        title="Data",
        scale=alt.Scale(domain=data, range=list(COLOURS[: len(data)])),
        legend=alt.Legend(orient="bottom") if len(data) > 1 else None,
    )
    encodings = {
        "x": alt.X("label:N", sort=domain, title="Class", axis=axis),
        "y": alt.Y("count:Q", title="Samples", stack=len(domain) > _MANY),
        "color": colour,
        "tooltip": [
            alt.Tooltip("label:N", title="Class"),
            alt.Tooltip("data:N", title="Data"),
            alt.Tooltip("count:Q", title="Samples", format=",d"),
        ],
    }
    if len(data) > 1 and len(domain) <= _MANY:
        encodings["xOffset"] = alt.XOffset("data:N", sort=data)
    chart: alt.Chart = (
        alt.Chart(frame).mark_bar().encode(**encodings).properties(height=260, width="container")
    )
    return chart
