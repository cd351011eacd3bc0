from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from modelkb_viewer.figures.colours import COLOURS
from modelkb_viewer.figures.curves import curves_figure


def curves(experiments: int = 2, series: tuple[str, ...] = ("loss",), points: int = 4) -> Any:
    return pd.DataFrame(
        [
            {"experiment": f"run-{run}", "series": name, "x": x, "value": 1.0 / (1 + x + run)}
            for run in range(experiments)
            for name in series
            for x in range(points)
        ]
    )


def drawn(figure: dict[str, Any]) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Return what Vega-Lite is told, and the rows of each layer."""
    without_data = {name: value for name, value in figure.items() if name != "datasets"}
    alt.LayerChart.from_dict({**without_data, "datasets": {}})  # raises what is no Vega-Lite
    return figure, [figure["datasets"][layer["data"]["name"]] for layer in figure["layer"]]


def test_experiments_are_told_apart_by_colour() -> None:
    said, _ = drawn(curves_figure(curves(), value_title="loss"))
    encoding = said["layer"][0]["encoding"]
    assert encoding["color"]["scale"] == {"domain": ["run-0", "run-1"], "range": [*COLOURS[:2]]}
    assert encoding["x"]["title"] == "Epoch"
    assert encoding["y"]["title"] == "loss"
    assert "strokeDash" not in encoding


def test_series_of_one_experiment_are_told_apart_by_colour() -> None:
    said, _ = drawn(curves_figure(curves(1, ("loss", "val_loss"))))
    assert said["layer"][0]["encoding"]["color"]["field"] == "series"


def test_series_of_several_experiments_are_told_apart_by_the_pattern() -> None:
    said, _ = drawn(curves_figure(curves(2, ("loss", "val_loss"))))
    encoding = said["layer"][0]["encoding"]
    assert (encoding["color"]["field"], encoding["strokeDash"]["field"]) == ("experiment", "series")


def test_more_experiments_than_colours_differ_in_the_pattern() -> None:
    said, _ = drawn(curves_figure(curves(len(COLOURS) + 1)))
    encoding = said["layer"][0]["encoding"]
    look = list(
        zip(
            encoding["color"]["scale"]["range"],
            map(tuple, encoding["strokeDash"]["scale"]["range"]),
            strict=True,
        )
    )
    assert len(set(look)) == len(COLOURS) + 1


def test_colours_of_the_page_are_taken() -> None:
    colours = {"run-0": "#111111", "run-1": "#222222"}
    said, _ = drawn(curves_figure(curves(1), colours=colours))
    assert said["layer"][0]["encoding"]["color"]["scale"]["range"] == ["#111111"]


def test_numbers_colour_the_lines_by_a_ramp_and_texts_by_single_colours() -> None:
    frame = curves(3)
    frame["colour"] = frame["experiment"].str[-1].astype(float)
    said, _ = drawn(curves_figure(frame, colour_title="rate"))
    colour = said["layer"][0]["encoding"]["color"]
    assert (colour["type"], colour["title"]) == ("quantitative", "rate")
    said, _ = drawn(curves_figure(frame.assign(colour="adam"), colour_title="optimizer"))
    assert said["layer"][0]["encoding"]["color"]["type"] == "nominal"


def test_smoothing_leaves_the_recorded_values_behind() -> None:
    _, layers = drawn(curves_figure(curves(1), smoothing=0.5))
    assert layers[0]["value"].tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert layers[1]["value"].iloc[1] == pytest.approx(2 / 3)


def test_a_log_axis_leaves_out_what_has_no_logarithm() -> None:
    frame = pd.DataFrame(
        {"experiment": "a", "series": "loss", "x": range(4), "value": [1.0, 0.0, -1.0, np.nan]}
    )
    said, layers = drawn(curves_figure(frame, log=True))
    assert layers[0]["value"].tolist() == [1.0]
    assert said["layer"][0]["encoding"]["y"]["scale"]["type"] == "log"


def test_many_points_are_thinned_out() -> None:
    _, layers = drawn(curves_figure(curves(10, points=5000)))
    assert len(layers[0]) <= 20_000


def test_no_points_are_an_empty_chart() -> None:
    _, layers = drawn(curves_figure(curves(1).head(0)))
    assert layers[0].empty


def test_all_but_the_data_stays_as_points_are_added() -> None:
    before, after = (curves_figure(curves(1, ("loss", "val_loss"), points)) for points in (3, 4))
    assert len(after.pop("datasets")["points"]) == len(before.pop("datasets")["points"]) + 2
    assert after == before
