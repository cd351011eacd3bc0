from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from modelkb_viewer.figures.confusion_matrix import (
    class_labels,
    confusion_difference_figure,
    confusion_matrix_figure,
    row_shares,
)


def matrix_of(counts: Any, names: Any = None) -> pd.DataFrame:
    """A confusion matrix as an experiment gives it."""
    labels = range(len(counts)) if names is None else names
    return pd.DataFrame(
        counts, index=pd.Index(labels, name="true"), columns=pd.Index(labels, name="predicted")
    )


def cells_of(figure: Any) -> pd.DataFrame:
    return figure.data


def test_true_classes_are_rows() -> None:
    figure = confusion_matrix_figure(matrix_of([[20, 5], [3, 22]], ["cat", "dog"]))
    cells = cells_of(figure).set_index(["true", "predicted"])
    assert cells.loc[("cat", "dog"), "count"] == 5
    assert cells.loc[("cat", "dog"), "share"] == pytest.approx(0.2)
    encoding = figure.to_dict()["layer"][0]["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"]) == ("predicted", "true")


def test_cells_show_counts_or_shares_and_nothing_for_none() -> None:
    matrix = matrix_of([[20, 0], [5, 15]])
    assert list(cells_of(confusion_matrix_figure(matrix))["text"]) == ["20", "", "5", "15"]
    shares = cells_of(confusion_matrix_figure(matrix, shares=True))
    assert list(shares["text"]) == ["100%", "", "25%", "75%"]


def test_letters_are_dark_on_pale_cells() -> None:
    cells = cells_of(confusion_matrix_figure(matrix_of([[100, 1], [2, 97]])))
    assert list(cells["ink"]) == ["white", "black", "black", "white"]


def test_a_hundred_classes_have_no_letters_and_thinned_labels() -> None:
    figure = confusion_matrix_figure(matrix_of(np.eye(100, dtype=int) * 7))
    assert len(cells_of(figure)) == 10_000
    with alt.data_transformers.enable("default", max_rows=None):
        layers = figure.to_dict()["layer"]
    assert [layer["mark"]["type"] for layer in layers] == ["rect"]
    for channel in ("x", "y"):
        assert layers[0]["encoding"][channel]["axis"]["labelOverlap"] is True


def test_of_a_thousand_classes_only_what_is_there_is_drawn() -> None:
    counts = np.eye(1000, dtype=int) * 9
    counts[3, 4] = 1
    cells = cells_of(confusion_matrix_figure(matrix_of(counts)))
    assert len(cells) == 1001
    assert cells["count"].sum() == 9001


def test_classes_of_one_name_stay_two() -> None:
    assert class_labels(["a", "b", "a"]) == ["a (1)", "b", "a (2)"]
    cells = cells_of(confusion_matrix_figure(matrix_of([[1, 2], [3, 4]], ["a", "a"])))
    assert cells["true"].nunique() == 2


def test_a_class_without_samples_has_no_share() -> None:
    assert row_shares(np.array([[0.0, 0.0], [1.0, 3.0]])).tolist() == [[0, 0], [0.25, 0.75]]


@pytest.mark.parametrize("counts", [np.zeros((3, 3)), np.zeros((1, 1)), np.zeros((0, 0))])
def test_an_empty_matrix_is_a_picture_too(counts: Any) -> None:
    assert confusion_matrix_figure(matrix_of(counts)).to_dict()["layer"]


def test_the_difference_is_in_percentage_points() -> None:
    first, second = matrix_of([[8, 2], [0, 10]]), matrix_of([[20, 20], [0, 5]])
    cells = cells_of(confusion_difference_figure(first, second))
    assert cells["points"].tolist() == pytest.approx([30, -30, 0, 0])
    assert cells["text"].tolist() == ["+30", "-30", "", ""]


def test_matrices_of_other_sizes_have_no_difference() -> None:
    with pytest.raises(ValueError, match="3 classes cannot be compared with 2"):
        confusion_difference_figure(matrix_of(np.eye(3)), matrix_of(np.eye(2)))
