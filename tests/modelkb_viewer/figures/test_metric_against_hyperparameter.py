from __future__ import annotations

import pandas as pd

from modelkb_viewer.figures.metric_against_hyperparameter import (
    metric_against_category_figure,
    metric_against_number_figure,
)


def test_numbers_over_decades_have_a_log_axis() -> None:
    frame = pd.DataFrame({"experiment": ["a", "b"], "x": [1e-4, 1e-1], "y": [0.5, 0.9]})
    for log, kind in ((True, "log"), (False, None)):
        figure = metric_against_number_figure(frame, name="rate", metric="accuracy", log=log)
        encoding = figure.to_dict()["encoding"]
        assert encoding["x"]["scale"].get("type") == kind
        assert (encoding["x"]["title"], encoding["y"]["title"]) == ("rate", "accuracy")


def test_categories_are_strips_of_points_over_boxes() -> None:
    frame = pd.DataFrame(
        {"experiment": ["a", "b"], "x": ["sgd", "adam"], "y": [0.5, 0.9], "colour": [1.0, 2.0]}
    )
    said = metric_against_category_figure(
        frame, name="optimizer", metric="accuracy", order=["adam", "sgd"], colour_title="rate"
    ).to_dict()
    box, strip = said["layer"]
    assert box["mark"]["type"] == "boxplot"
    assert strip["encoding"]["x"]["sort"] == ["adam", "sgd"]
    assert strip["encoding"]["color"]["title"] == "rate"
