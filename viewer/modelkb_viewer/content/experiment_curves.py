"""The curves of one experiment: a frame for each metric, and their values in one table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

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
    rows = rows.assign(series=rows["split"])
    rows = rows.assign(x=_x_values(rows, x, started_at), experiment=name)
    rows = rows[rows["x"].notna()]
    order = {split: place for place, split in enumerate(_SPLITS)}
    columns = ["experiment", "series", "x", "value"]
    return {
        metric: of_metric.assign(place=of_metric["series"].map(order).fillna(len(order)))
        .sort_values(["place", "x"], kind="stable")[columns]
        .reset_index(drop=True)
        for metric, of_metric in sorted(
            rows.groupby("metric", observed=True), key=lambda item: _rank(str(item[0]))
        )
    }


def metric_values(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return first, best and last value of each curve.

    Returns:
        Columns ``Metric``, ``Split``, ``First``, ``Best``, ``Best epoch`` and ``Last``.
    """
    rows = []
    for (metric, split), curve in metrics.groupby(["metric", "split"], observed=True, sort=False):
        known = curve[curve["value"].notna()].sort_values("value", kind="stable")
        best = known.iloc[[-1 if higher_is_better(str(metric)) else 0]] if len(known) else known
        rows.append(
            {
                "Metric": metric,
                "Split": split,
                "First": curve["value"].iloc[0],
                "Best": next(iter(best["value"]), None),
                "Best epoch": next(iter(best["epoch"]), None),
                "Last": curve["value"].iloc[-1],
            }
        )
    columns = ["Metric", "Split", "First", "Best", "Best epoch", "Last"]
    rows.sort(key=lambda row: (_rank(str(row["Metric"])), _place(str(row["Split"]))))
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


def _place(split: str) -> int:
    return _SPLITS.index(split) if split in _SPLITS else len(_SPLITS)


def _rank(metric: str) -> tuple[int, str]:
    words = metric.lower().replace(",", "_").split("_")
    if "accuracy" in words or "acc" in words:
        return 0, metric
    return (1 if "loss" in words else 2), metric
