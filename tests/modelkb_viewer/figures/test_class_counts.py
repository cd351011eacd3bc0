from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from modelkb_viewer.figures.class_counts import class_counts_figure
from modelkb_viewer.figures.residuals import residuals_figure


def counts(classes: int, *data: str) -> pd.DataFrame:
    rows = [
        {"place": place, "class": "same" if classes < 4 else str(place), "data": each, "count": 3}
        for each in data
        for place in range(classes)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("classes", "side_by_side"), [(3, True), (100, False)])
def test_few_classes_have_their_bars_side_by_side(classes: int, side_by_side: bool) -> None:
    frame = counts(classes, "Training data", "Validation data")
    with alt.data_transformers.enable("default", max_rows=None):
        figure = class_counts_figure(frame).to_dict()
    assert ("xOffset" in figure["encoding"]) == side_by_side
    assert len(set(figure["encoding"]["x"]["sort"])) == classes


def test_one_dataset_needs_no_legend() -> None:
    figure = class_counts_figure(counts(5, "Training data")).to_dict()
    assert figure["encoding"]["color"]["legend"] is None


def test_residuals_are_bars_between_their_edges() -> None:
    bins = pd.DataFrame({"low": [-1.0, 0.0], "high": [0.0, 1.0], "count": [24, 26]})
    bars, zero = residuals_figure(bins).to_dict()["layer"]
    assert (bars["encoding"]["x"]["field"], bars["encoding"]["x2"]["field"]) == ("low", "high")
    assert bars["encoding"]["y2"] == {"datum": 0}
    assert zero["mark"]["type"] == "rule"
