"""Curves of several experiments, to be drawn one over the other."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from modelkb_store import Store
from modelkb_viewer.content.selected_experiments import LABEL

COLUMNS = ["experiment", "series", "x", "value"]


def overlaid_curves(
    store: Store, experiments: pd.DataFrame, metrics: Sequence[str], x: str = "epoch"
) -> pd.DataFrame:
    """Return the points of curves.

    Args:
        store: The store.
        experiments: Columns ``experiment_id``, ``label`` and ``started_at``.
        metrics: Names as in Keras' history.
        x: ``epoch``, ``step`` or ``time`` (seconds since the experiment's start).

    Returns:
        Columns ``experiment`` (its label), ``series`` (the metric), ``x`` and ``value``, in the
        order of the experiments, metrics and epochs; points without ``x`` are left out.
    """
    parts = [store.metrics(experiments["experiment_id"], name) for name in metrics]
    if not parts or experiments.empty:
        nothing: pd.DataFrame = pd.DataFrame(columns=COLUMNS)
        return nothing
    points = pd.concat(parts, ignore_index=True)
    place = pd.Series(range(len(experiments)), index=experiments["experiment_id"])
    rows = points["experiment_id"].map(place).astype("int64")
    if x == "time":
        started = experiments["started_at"].reset_index(drop=True).loc[rows]
        position = (points["wall_time"] - started.set_axis(points.index)).dt.total_seconds()
    else:
        position = points[x].astype("float64")
    frame = pd.DataFrame(
        {
            "experiment": experiments[LABEL]
            .reset_index(drop=True)
            .loc[rows]
            .set_axis(points.index),
            "series": points["name"],
            "x": position,
            "value": points["value"],
            "row": rows,
        }
    )
    in_order: pd.DataFrame = frame[frame["x"].notna()].sort_values(
        "row", kind="stable", ignore_index=True
    )
    del in_order["row"]
    return in_order


def split_names(metric: str) -> list[str]:
    """Return the names of a metric of training and of validation.

    Example:
        >>> split_names("val_loss")
        ['loss', 'val_loss']
    """
    of_training = metric.removeprefix("val_").removeprefix("test_")
    return list(dict.fromkeys([of_training, f"val_{of_training}", metric]))
