"""One number per experiment out of the curves of a metric."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from modelkb_store import Store
from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.main_metric import main_metrics
from modelkb_viewer.content.selected_experiments import LABEL

Summary = Literal["best", "last", "first"]
_PREFIX = "metrics."


def metric_names(experiments: pd.DataFrame) -> list[str]:
    """Return the metrics that some experiment has, the most telling one first.

    Args:
        experiments: Columns ``metrics.NAME``, as of :meth:`Store.experiments`.
    """
    columns = [name for name in experiments.columns if name.startswith(_PREFIX)]
    return main_metrics(
        {name.removeprefix(_PREFIX): int(experiments[name].notna().sum()) for name in columns}
    )


def metric_values(
    store: Store, experiments: pd.DataFrame, metric: str, summary: Summary = "best"
) -> pd.Series:
    """Return a metric of each experiment that has it.

    Args:
        store: The store.
        experiments: Columns ``experiment_id`` and ``label``.
        metric: Its name in Keras' history.
        summary: The best value of the curve, its last or its first.

    Returns:
        Numbers by label; NaN of a curve that has no finite number, as of a run that diverged.
    """
    curves = store.metrics(experiments["experiment_id"], metric)
    labels = dict(zip(experiments["experiment_id"], experiments[LABEL], strict=True))
    values = summarize(curves, metric, summary)
    values.index = pd.Index([labels[each] for each in values.index], name=LABEL)
    known: pd.Series = values.reindex(experiments[LABEL][experiments[LABEL].isin(values.index)])
    return known


def summarize(curves: pd.DataFrame, metric: str, summary: Summary) -> pd.Series:
    """Return one number per ``experiment_id`` out of curves in the order of epochs."""
    finite = curves["value"].where(curves["value"].abs() != float("inf"))
    groups = finite.groupby(curves["experiment_id"], observed=True, sort=False)
    found: pd.Series
    if summary == "best":
        found = groups.max() if higher_is_better(metric) else groups.min()
    else:
        found = groups.nth(-1 if summary == "last" else 0)
        found.index = pd.Index(curves.loc[found.index, "experiment_id"])
    return found.astype("float64")
