"""The curves of one experiment: a frame for each metric, and their values in one table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.figures.curves import XAxis

_SPLITS = ("train", "validation", "test")


def metric_curves(
    metrics: pd.DataFrame,
    batch_metrics: pd.DataFrame,
    x: XAxis,
    started_at: datetime,
    name: str,
) -> dict[str, pd.DataFrame]:
    """Return the curves of an experiment by metric, training and validation together.

    Args:
        metrics: Of :meth:`modelkb_store.Experiment.metrics`.
        batch_metrics: Of :meth:`modelkb_store.Experiment.batch_metrics`: curves of their own,
            but not over epochs.
        x: What the values are over.
        started_at: When the experiment began, for ``time``.
        name: The experiment's, as it is called in the picture.

    Returns:
        Frames as :func:`modelkb_viewer.figures.curves.curves_figure` takes them; accuracies come
        first, then losses.
    """
    rows = metrics
    if x != "epoch" and len(batch_metrics):
        by_batch = batch_metrics.assign(metric=batch_metrics["metric"] + ", by batch")
        rows = pd.concat([rows, by_batch], ignore_index=True)
    # As arrays: pandas takes ten times as long for the few rows of a run that is followed.
    xs, values = _x_values(rows, x, started_at).to_numpy(), rows["value"].to_numpy()
    splits = rows["split"].to_numpy(object)
    places = np.array([_place(split) for split in splits], np.int8)
    numbers, metrics_in_order = pd.factorize(rows["metric"].to_numpy(object))
    names = [str(name) for name in metrics_in_order]
    order = np.lexsort((xs, places))
    order = order[~pd.isna(xs)[order]]
    curves = {}
    for number in sorted(range(len(names)), key=lambda number: _rank(names[number])):
        of_metric = order[numbers[order] == number]
        if len(of_metric):
            columns = {"series": splits[of_metric], "x": xs[of_metric], "value": values[of_metric]}
            curves[names[number]] = pd.DataFrame({"experiment": name, **columns})
    return curves


def metric_values(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return first, best and last value of each curve.

    Returns:
        Columns ``Metric``, ``Split``, ``First``, ``Best``, ``Best epoch`` and ``Last``.
    """
    places: dict[tuple[str, str], list[int]] = {}
    for place, curve in enumerate(zip(metrics["metric"], metrics["split"], strict=True)):
        places.setdefault(curve, []).append(place)
    every_value, epochs = metrics["value"].to_numpy(), metrics["epoch"].to_numpy()
    rows = []
    for (metric, split), of_curve in places.items():
        values = every_value[of_curve]
        best = _place_of_best(values, metric)
        rows.append(
            {
                "Metric": metric,
                "Split": split,
                "First": values[0],
                "Best": None if best is None else values[best],
                "Best epoch": None if best is None else epochs[of_curve[best]],
                "Last": values[-1],
            }
        )
    columns = ["Metric", "Split", "First", "Best", "Best epoch", "Last"]
    rows.sort(key=lambda row: (_rank(row["Metric"]), _place(row["Split"])))
    table: pd.DataFrame = pd.DataFrame(rows, columns=columns).astype({"Best epoch": "Int64"})
    return table


def metrics_with_words(names: Sequence[str], search: str) -> list[str]:
    """Return the metrics whose names have all words of a search."""
    words = search.lower().replace("_", " ").split()
    return [name for name in names if all(word in name.lower().replace("_", " ") for word in words)]


def _x_values(rows: pd.DataFrame, x: XAxis, started_at: datetime) -> pd.Series:
    if x == "time":
        seconds: pd.Series = (rows["wall_time"] - pd.Timestamp(started_at)).dt.total_seconds()
        return seconds
    values: pd.Series = rows[x]
    return values


def _place_of_best(values: np.ndarray, metric: str) -> int | None:
    """Return where the best value is that is a number, the first of equal ones; None without."""
    if np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if higher_is_better(metric) else np.nanargmin(values))


def _place(split: str) -> int:
    return _SPLITS.index(split) if split in _SPLITS else len(_SPLITS)


def _rank(metric: str) -> tuple[int, str]:
    words = metric.lower().replace(",", "_").split("_")
    if "accuracy" in words or "acc" in words:
        return 0, metric
    return (1 if "loss" in words else 2), metric
