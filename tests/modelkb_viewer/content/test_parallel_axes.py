from __future__ import annotations

import math

import pandas as pd
import pytest

from modelkb_viewer.content.hyperparameter_values import as_hyperparameter
from modelkb_viewer.content.parallel_axes import NOT_SET_POSITION, parallel_axes

VALUES = pd.Series([0.5, 0.7, 0.9], index=["a", "b", "c"])


def positions(frame: pd.DataFrame, axis: str) -> list[float]:
    return [float(each) for each in frame[frame["axis"] == axis]["position"]]


def test_numbers_go_from_bottom_to_top_and_the_metric_is_last() -> None:
    rate = as_hyperparameter("rate", pd.Series([0.1, 0.3, 0.2]))
    axes = parallel_axes([rate], VALUES, "accuracy")
    assert axes.names == ["rate", "accuracy"]
    assert positions(axes.points, "rate") == pytest.approx([0, 1, 0.5])
    assert positions(axes.points, "accuracy") == pytest.approx([0, 0.5, 1])
    assert axes.points["metric"].tolist() == [0.5, 0.7, 0.9] * 2


def test_decades_are_equally_far_apart() -> None:
    rate = as_hyperparameter("rate", pd.Series([1e-4, 1e-2, 1e-3]))
    axes = parallel_axes([rate], VALUES, "accuracy")
    assert positions(axes.points, "rate") == pytest.approx([0, 1, 0.5])
    shown = axes.ticks[axes.ticks["axis"] == "rate"]["shown"]
    assert shown.tolist() == ["0.0001", "0.001", "0.01"]


def test_what_is_not_set_is_below_the_axis() -> None:
    momentum = as_hyperparameter("momentum", pd.Series([None, 0.9, 0.8]))
    axes = parallel_axes([momentum], VALUES, "accuracy")
    assert positions(axes.points, "momentum") == pytest.approx([NOT_SET_POSITION, 1, 0])
    ticks = axes.ticks[axes.ticks["axis"] == "momentum"]
    assert ticks["shown"].tolist() == ["0.8", "0.9", "(not set)"]


def test_texts_are_equally_far_apart_and_only_some_are_written() -> None:
    names = [f"name {number:02d}" for number in range(30)]
    many = as_hyperparameter("name", pd.Series(names))
    values = pd.Series(range(30), dtype=float)
    axes = parallel_axes([many], values, "accuracy")
    assert positions(axes.points, "name") == pytest.approx([n / 29 for n in range(30)])
    assert len(axes.ticks[axes.ticks["axis"] == "name"]) <= 12


def test_metrics_that_are_all_the_same_or_missing() -> None:
    same = parallel_axes([], pd.Series([0.5, 0.5], index=["a", "b"]), "accuracy")
    assert positions(same.points, "accuracy") == [0.5, 0.5]
    missing = parallel_axes([], pd.Series([math.nan, 0.5, 0.6]), "accuracy")
    assert positions(missing.points, "accuracy") == pytest.approx([NOT_SET_POSITION, 0, 1])
