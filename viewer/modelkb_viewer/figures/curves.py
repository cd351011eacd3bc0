"""Curves over epochs, steps or time: those of one experiment, or of many one over the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from modelkb_viewer.figures.colours import (
    COLOURS,
    GREY,
    experiment_colours,
    experiment_dashes,
    metric_colour,
)
from modelkb_viewer.figures.smoothing import smoothed, thinned

XAxis = Literal["epoch", "step", "time"]

X_TITLES: dict[str, str] = {"epoch": "Epoch", "step": "Step", "time": "Seconds since start"}
_LINES = ["experiment", "series"]
_MOST_POINTS = 20_000
_FEWEST_OF_LINE = 50
_MOST_IN_LEGEND = 20
_MOST_IN_ONE_COLUMN = 6
# So that a legend fits a phone.
_LABEL_PIXELS = {1: 260, 2: 120}
_ROW_OF_LEGEND = 16
_FEW_POINTS = 400
_HEIGHT = 340
# With digits of its own: an axis would else write 50 as 5e+1.
_NUMBERS = ".6~g"


def curves_figure(
    frame: pd.DataFrame,
    *,
    x: XAxis = "epoch",
    smoothing: float = 0.0,
    log: bool = False,
    value_title: str = "Value",
    colours: Mapping[str, str] | None = None,
    colour_title: str | None = None,
    height: int = _HEIGHT,
) -> alt.LayerChart:
    """Return curves as lines; pointing at one shows its values, a click in the legend keeps it.

    Several experiments are told apart by colour (and, where there are more than colours, by the
    pattern of the line), series of one experiment by colour, and where there are several of both,
    series by the pattern.

    Args:
        frame: One row per point, in the order of each line. Columns ``experiment`` (a name that
            is unique in the frame), ``series`` (such as ``val_loss``), ``x`` and ``value``.
        x: What ``x`` is.
        smoothing: From 0 to 0.99, see :func:`modelkb_viewer.figures.smoothing.smoothed`; the
            recorded values stay behind as pale lines.
        log: Whether the axis of values is logarithmic; values up to 0 are left out then.
        value_title: What the values are.
        colours: The colour of each experiment, where other charts of the page have it, too.
        colour_title: What a further column ``colour`` is, that lines are coloured by in place of
            the experiment.
        height: In pixels, without the legend.

    Example:
        >>> frame = pd.DataFrame(
        ...     {"experiment": "a", "series": "loss", "x": [0, 1], "value": [1.0, 0.5]}
        ... )
        >>> curves_figure(frame, x="epoch", smoothing=0.5)
    """
    kept = ["x", "value", *_LINES, *(["colour"] if colour_title else [])]
    recorded = frame[kept].reset_index(drop=True)
    points = recorded.assign(value=smoothed(recorded, _LINES, smoothing))
    recorded, points = _drawable(recorded, log), _drawable(points, log)
    look = _look(points, colours, colour_title)
    chosen = alt.selection_point(fields=[look.legend_field], bind="legend")
    title = {"x": X_TITLES[x], "value": value_title}
    line = _lines(points, x, title, look, log).encode(opacity=_opacity(chosen, 0.95))
    layers = [line.add_params(chosen), _pointer(line, points, x, title, colour_title)]
    if smoothing:
        pale = _lines(recorded, x, title, look, log).mark_line(strokeWidth=1, clip=True)
        layers.insert(0, pale.encode(opacity=_opacity(chosen, 0.25)))
    # The height holds the legend, too.
    height += _ROW_OF_LEGEND * look.legend_rows
    chart: alt.LayerChart = alt.layer(*layers).properties(height=height, width="container")
    return chart


def _drawable(points: pd.DataFrame, log: bool) -> pd.DataFrame:
    kept = points[np.isfinite(points["value"]) & (points["value"] > 0 if log else True)]
    lines = max(1, len(kept[_LINES].drop_duplicates()))
    return thinned(kept, _LINES, max(_FEWEST_OF_LINE, _MOST_POINTS // lines))


def _lines(
    points: pd.DataFrame, x: XAxis, title: Mapping[str, str], look: _Look, log: bool
) -> alt.Chart:
    thick = 2 if look.line_count <= len(COLOURS) else 1.2
    # Epochs and steps are whole numbers.
    axis = alt.Axis(tickMinStep=1, format=_NUMBERS if x == "time" else "d", grid=False)
    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    drawn: alt.Chart = (
        alt.Chart(points)
        .mark_line(strokeWidth=thick, clip=True)
        .encode(
            x=alt.X("x:Q", title=title["x"], axis=axis, scale=alt.Scale(nice=False)),
            y=alt.Y("value:Q", title=title["value"], scale=scale, axis=alt.Axis(format=_NUMBERS)),
            detail=[alt.Detail(f"{name}:N") for name in _LINES],
            **look.encodings,
        )
    )
    return drawn


def _opacity(chosen: alt.Parameter, opacity: float) -> Any:
    return alt.when(chosen).then(alt.value(opacity)).otherwise(alt.value(opacity / 10))


@dataclass(frozen=True)
class _Look:
    """How lines are told apart.

    Attributes:
        encodings: Channels of colour and pattern.
        legend_field: What a click in the legend is about.
        line_count: How many lines there are.
        legend_rows: How many rows of entries the legend has.
    """

    encodings: dict[str, Any]
    legend_field: str
    line_count: int
    legend_rows: int


def _look(
    points: pd.DataFrame, colours: Mapping[str, str] | None, colour_title: str | None
) -> _Look:
    experiments = list(dict.fromkeys(points["experiment"]))
    series = list(dict.fromkeys(points["series"]))
    count = len(points[_LINES].drop_duplicates())
    encodings: dict[str, Any] = {}
    field = "experiment"
    if colour_title:
        encodings["color"] = colour_of(points, colour_title)
        field = "colour"
    elif len(experiments) > 1 or colours:
        known = {**experiment_colours(experiments), **(colours or {})}
        range_ = [known[name] for name in experiments]
        encodings["color"] = _nominal(alt.Color, "experiment", experiments, range_)
        patterns = [experiment_dashes(known)[name] for name in experiments]
        if len(series) == 1 and len(set(map(tuple, patterns))) > 1:
            encodings["strokeDash"] = _nominal(alt.StrokeDash, "experiment", experiments, patterns)
    else:
        field = "series"
        range_ = list(experiment_colours(series).values())
        encodings["color"] = _nominal(alt.Color, "series", series, range_)
        patterns = list(experiment_dashes(series).values())
        if len(series) > len(COLOURS):
            encodings["strokeDash"] = _nominal(alt.StrokeDash, "series", series, patterns)
    if len(series) > 1 and field != "series":
        encodings["strokeDash"] = alt.StrokeDash(
            "series:N", sort=series, title="Series", legend=_legend(len(series), GREY)
        )
    entries = len(experiments if field == "experiment" else series)
    rows = 0 if entries > _MOST_IN_LEGEND else -(-entries // _legend_columns(entries))
    return _Look(encodings, field, count, rows)


def colour_of(
    frame: pd.DataFrame, title: str, symbol: Literal["circle", "stroke"] = "stroke"
) -> alt.Color:
    """Return colours by the column ``colour``: a ramp for numbers, single ones for texts.

    Args:
        frame: The rows.
        title: What the column is.
        symbol: What the legend shows of points, or of lines.
    """
    if pd.api.types.is_numeric_dtype(frame["colour"]) and frame["colour"].nunique() > 2:
        return metric_colour("colour", title)
    values = sorted(frame["colour"].dropna().unique().tolist(), key=str)
    colours = experiment_colours([str(value) for value in values])
    scale = alt.Scale(domain=values, range=list(colours.values()))
    return alt.Color(
        "colour:N", title=title, scale=scale, legend=_legend(len(values), symbol=symbol)
    )


def _nominal(channel: Any, field: str, domain: list[str], range_: list[Any]) -> Any:
    return channel(
        f"{field}:N",
        sort=domain,
        title=field.capitalize(),
        scale=alt.Scale(domain=domain, range=range_),
        legend=_legend(len(domain)),
    )


def _legend(
    entries: int, colour: str | None = None, symbol: Literal["circle", "stroke"] = "stroke"
) -> alt.Legend | None:
    """Return a legend below the chart, which also fits a phone; none for one or very many lines."""
    if not 1 < entries <= _MOST_IN_LEGEND:
        return None
    columns = _legend_columns(entries)
    stroke: Any = {"symbolStrokeColor": colour} if colour else {}
    # Lines, which also show the pattern; strong ones, though there may be pale lines as well.
    return alt.Legend(
        orient="bottom",
        columns=columns,
        labelLimit=_LABEL_PIXELS[columns],
        symbolLimit=0,
        symbolType=symbol,
        symbolSize=400 if symbol == "stroke" else 100,
        symbolStrokeWidth=2.5,
        symbolOpacity=1,
        **stroke,
    )


def _legend_columns(entries: int) -> int:
    return 1 if entries <= _MOST_IN_ONE_COLUMN else 2


def _pointer(
    line: alt.Chart,
    points: pd.DataFrame,
    x: XAxis,
    title: Mapping[str, str],
    colour_title: str | None,
) -> alt.Chart:
    """Return points that show up under the pointer, and tell what is there."""
    nearest = alt.selection_point(on="pointerover", nearest=True, empty=False, clear="pointerout")
    tooltip = [alt.Tooltip(f"{name}:N", title=name.capitalize()) for name in _LINES]
    tooltip.append(alt.Tooltip("x:Q", title=title["x"], format=".4~g" if x == "time" else "d"))
    tooltip.append(alt.Tooltip("value:Q", title=title["value"], format=".4~g"))
    if colour_title:
        tooltip.append(alt.Tooltip("colour", title=colour_title))
    # Few points are always seen, as a line of one point would not be.
    alone = points.groupby(_LINES, observed=True)["x"].transform("size") == 1
    seen = len(points) <= _FEW_POINTS or bool(alone.any())
    opacity = alt.when(nearest).then(alt.value(1)).otherwise(alt.value(0.7 if seen else 0))
    dot = line.mark_point(size=30 if seen else 50, filled=True)
    drawn: alt.Chart = dot.encode(opacity=opacity, tooltip=tooltip).add_params(nearest)
    return drawn
