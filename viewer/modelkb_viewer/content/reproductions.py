"""The runs that do an experiment again, and how they compare with it so far."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from modelkb_store import Experiment, Store
from modelkb_store.history_names import history_name
from modelkb_store.reproduction import Comparison, compare

_COLUMNS = ["experiment_id", "status", "started_at", "epochs_completed", "epochs_planned"]


def reproductions_of(
    store: Store, experiment_id: str, since: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the runs that do an experiment again, newest first.

    Args:
        store: The store.
        experiment_id: The original.
        since: Only those that began then or later, in UTC.

    Returns:
        Their ``experiment_id``, ``status``, ``started_at``, ``epochs_completed`` and
        ``epochs_planned``.
    """
    rows: list[dict[str, Any]] = store.table(
        "experiments", columns=_COLUMNS, where={"reproduces_experiment_id": [experiment_id]}
    ).to_pylist()
    found = [row for row in rows if since is None or row["started_at"] >= since]
    return sorted(found, key=lambda row: row["started_at"], reverse=True)


def last_values(original: Experiment, reproduction: Experiment) -> pd.DataFrame:
    """Return the values of the last epoch that the reproduction has, beside the original's.

    Returns:
        Columns ``Epoch``, ``Metric`` (as in Keras' history), ``Original``, ``Reproduction`` and
        ``Difference``; empty as long as no epoch has ended.
    """
    first, second = (_values(each) for each in (original, reproduction))
    if not second.empty:
        second = second[second["epoch"] == second["epoch"].max()]
    both = second.merge(first, "left", on=["epoch", "split", "metric"], suffixes=("", "_before"))
    pairs = zip(both["split"], both["metric"], strict=True)
    table: pd.DataFrame = pd.DataFrame(
        {
            "Epoch": both["epoch"],
            "Metric": [history_name(split, metric) for split, metric in pairs],
            "Original": both["value_before"],
            "Reproduction": both["value"],
            "Difference": both["value"] - both["value_before"],
        }
    )
    return table


def compare_runs(store: Store, original: Experiment, reproduction_id: str) -> Comparison:
    """Return how far a reproduction that has ended is the same."""
    return compare(original, store.experiment(reproduction_id))


def _values(experiment: Experiment) -> pd.DataFrame:
    values: pd.DataFrame = experiment.metrics()[["epoch", "split", "metric", "value"]]
    return values
