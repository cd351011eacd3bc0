"""Curves over epochs, steps or time: those of one experiment, or of many one over the other.

They are written in Vega-Lite's own words: what is drawn again after each epoch is made in no time,
and as the names of its data stay, the browser gives new points to the plot that it has.
"""

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
_POINTS, _RECORDED = "points", "recorded"
_CHOSEN, _NEAREST = "chosen", "nearest"


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
) -> dict[str, Any]:
    """Return curves as lines, in Vega-Lite.

    Pointing at a line shows its values, a click in the legend keeps it.

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
    points = recorded
    if smoothing:
        points = recorded.assign(value=smoothed(recorded, _LINES, smoothing))
    points = _drawable(points, log)
    look = _look(points, colours, colour_title)
    title = {"x": X_TITLES[x], "value": value_title}
    line = _line(x, title, look, log)
    layers = [
        {**line, "data": {"name": _POINTS}, "params": [_chosen(look)]},
        _pointer(line, points, x, title, colour_title),
    ]
    datasets = {_POINTS: points}
    if smoothing:
        layers.insert(0, {**_pale(line), "data": {"name": _RECORDED}})
        datasets[_RECORDED] = _drawable(recorded, log)
    return {
        "layer": layers,
        "datasets": datasets,
        "width": "container",
        # It holds the legend, too.
        "height": height + _ROW_OF_LEGEND * look.legend_rows,
    }


def _drawable(points: pd.DataFrame, log: bool) -> pd.DataFrame:
    values = points["value"].to_numpy()
    can_be_drawn = np.isfinite(values) & (values > 0 if log else True)
    kept = points if can_be_drawn.all() else points[can_be_drawn]
    if len(kept) <= _FEWEST_OF_LINE:
        return kept
    lines = max(1, len(kept[_LINES].drop_duplicates()))
    return thinned(kept, _LINES, max(_FEWEST_OF_LINE, _MOST_POINTS // lines))


def _line(x: XAxis, title: Mapping[str, str], look: _Look, log: bool) -> dict[str, Any]:
    thick = 2 if look.line_count <= len(COLOURS) else 1.2
    # Epochs and steps are whole numbers.
    axis = {"tickMinStep": 1, "format": _NUMBERS if x == "time" else "d", "grid": False}
    return {
        "mark": {"type": "line", "strokeWidth": thick, "clip": True},
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": title["x"],
                "axis": axis,
                "scale": {"nice": False},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": title["value"],
                "axis": {"format": _NUMBERS},
                "scale": {"type": "log"} if log else {"zero": False},
            },
            "detail": [{"field": name, "type": "nominal"} for name in _LINES],
            "opacity": _opacity(0.95),
            **look.encodings,
        },
    }


def _pale(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line as the recorded values are drawn behind smoothed ones."""
    mark = {**line["mark"], "strokeWidth": 1}
    return {"mark": mark, "encoding": {**line["encoding"], "opacity": _opacity(0.25)}}


def _chosen(look: _Look) -> dict[str, Any]:
    select = {"type": "point", "fields": [look.legend_field]}
    return {"name": _CHOSEN, "select": select, "bind": "legend"}


def _opacity(opacity: float) -> dict[str, Any]:
    return {"condition": {"param": _CHOSEN, "value": opacity}, "value": opacity / 10}


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
    experiments, series = points["experiment"].unique().tolist(), points["series"].unique().tolist()
    count = len(points[_LINES].drop_duplicates()) if len(experiments) > 1 else len(series)
    encodings: dict[str, Any] = {}
    field = "experiment"
    if colour_title:
        encodings["color"] = colour_of(points, colour_title).to_dict()
        field = "colour"
    elif len(experiments) > 1 or colours:
        known = {**experiment_colours(experiments), **(colours or {})}
        range_ = [known[name] for name in experiments]
        encodings["color"] = _nominal("experiment", experiments, range_)
        patterns = [experiment_dashes(known)[name] for name in experiments]
        if len(series) == 1 and len(set(map(tuple, patterns))) > 1:
            encodings["strokeDash"] = _nominal("experiment", experiments, patterns)
    else:
        field = "series"
        range_ = list(experiment_colours(series).values())
        encodings["color"] = _nominal("series", series, range_)
        patterns = list(experiment_dashes(series).values())
        if len(series) > len(COLOURS):
            encodings["strokeDash"] = _nominal("series", series, patterns)
    if len(series) > 1 and field != "series":
        encodings["strokeDash"] = {
            "field": "series",
            "type": "nominal",
            "sort": series,
            "title": "Series",
            "legend": _legend(len(series), GREY),
        }
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
    shown = _legend(len(values), symbol=symbol)
    legend = None if shown is None else alt.Legend(**shown)
    return alt.Color("colour:N", title=title, scale=scale, legend=legend)


def _nominal(field: str, domain: list[str], range_: list[Any]) -> dict[str, Any]:
    return {
        "field": field,
        "type": "nominal",
        "sort": domain,
        "title": field.capitalize(),
        "scale": {"domain": domain, "range": range_},
        "legend": _legend(len(domain)),
    }


def _legend(
    entries: int, colour: str | None = None, symbol: Literal["circle", "stroke"] = "stroke"
) -> dict[str, Any] | None:
    """Return a legend below the chart, which also fits a phone; none for one or very many lines."""
    if not 1 < entries <= _MOST_IN_LEGEND:
        return None
    columns = _legend_columns(entries)
    stroke: Any = {"symbolStrokeColor": colour} if colour else {}
    # Lines, which also show the pattern; strong ones, though there may be pale lines as well.
    return {
        "orient": "bottom",
        "columns": columns,
        "labelLimit": _LABEL_PIXELS[columns],
        "symbolLimit": 0,
        "symbolType": symbol,
        "symbolSize": 400 if symbol == "stroke" else 100,
        "symbolStrokeWidth": 2.5,
        "symbolOpacity": 1,
        **stroke,
    }


def _legend_columns(entries: int) -> int:
    return 1 if entries <= _MOST_IN_ONE_COLUMN else 2


def _pointer(
    line: dict[str, Any],
    points: pd.DataFrame,
    x: XAxis,
    title: Mapping[str, str],
    colour_title: str | None,
) -> dict[str, Any]:
    """Return points that show up under the pointer, and tell what is there."""
    select = {"type": "point", "on": "pointerover", "nearest": True, "clear": "pointerout"}
    tooltip: list[dict[str, Any]] = [
        {"field": name, "type": "nominal", "title": name.capitalize()} for name in _LINES
    ]
    numbers = {"x": ".4~g" if x == "time" else "d", "value": ".4~g"}
    tooltip += [
        {"field": name, "type": "quantitative", "title": title[name], "format": digits}
        for name, digits in numbers.items()
    ]
    if colour_title:
        kind = "quantitative" if pd.api.types.is_numeric_dtype(points["colour"]) else "nominal"
        tooltip.append({"field": "colour", "type": kind, "title": colour_title})
    # Few points are always seen, as a line of one point would not be.
    seen = len(points) <= _FEW_POINTS or bool((points[_LINES].value_counts() == 1).any())
    opacity = {
        "condition": {"param": _NEAREST, "empty": False, "value": 1},
        "value": 0.7 if seen else 0,
    }
    return {
        "data": {"name": _POINTS},
        "mark": {"type": "point", "size": 30 if seen else 50, "filled": True},
        "encoding": {**line["encoding"], "opacity": opacity, "tooltip": tooltip},
        "params": [{"name": _NEAREST, "select": select}],
    }
