"""What the experiments of a project say of its hyperparameters, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from modelkb_store import Store
from modelkb_store.errors import InvalidSettingError
from modelkb_viewer.content.data_groups import DataGroup, data_groups
from modelkb_viewer.content.measured_results import measured_results
from modelkb_viewer.content.metric_values import Summary, metric_names
from modelkb_viewer.content.what_works import headline, what_works


@dataclass(frozen=True)
class Findings:
    """What works best on one dataset.

    Attributes:
        metric: What is compared.
        metrics: All that could be compared, the most telling one first.
        data: The dataset that the experiments were trained on.
        datasets: All that could be looked at, those of most experiments first.
        runs: How many experiments it is about.
        headline: What works best, in a sentence.
        importance: As of :func:`modelkb_viewer.content.importance.importances`.
        values: As of :func:`modelkb_viewer.content.what_works.what_works`.
    """

    metric: str
    metrics: list[str]
    data: DataGroup
    datasets: list[DataGroup]
    runs: int
    headline: str
    importance: pd.DataFrame
    values: pd.DataFrame


def findings(
    store: Store,
    experiments: pd.DataFrame,
    metric: str | None = None,
    summary: Summary = "best",
    dataset_id: str | None = None,
) -> Findings:
    """Return what goes with the best results.

    Args:
        store: The store.
        experiments: As of :func:`modelkb_viewer.content.selected_experiments.selected_experiments`.
        metric: Its name in Keras' history; by default the most telling one.
        summary: Which number of its curve counts.
        dataset_id: The dataset that they are to be trained on, empty for experiments without
            one; by default the one that most of them were.

    Raises:
        InvalidSettingError: None of the experiments has such a metric or dataset.
    """
    datasets = data_groups(store, experiments)
    data = next((each for each in datasets if dataset_id in (None, each.dataset_id)), None)
    if data is None:
        known = ", ".join(repr(each.dataset_id) for each in datasets) or "none: there is no data"
        raise InvalidSettingError("dataset_id", dataset_id, f"one of {known}")
    on_data = experiments[experiments["experiment_id"].isin(data.experiment_ids)]
    metrics = metric_names(on_data)
    chosen = metric or next(iter(metrics), None)
    if chosen is None or chosen not in metrics:
        known = ", ".join(metrics) or "none: there are no curves"
        raise InvalidSettingError("metric", metric, f"one of {known}")
    results = measured_results(store, on_data, chosen, summary)
    importance = results.importances()
    table = what_works(results.most_important_first(importance), results.values, chosen)
    runs = len(results.values)
    said = headline(importance, table, runs, chosen)
    return Findings(chosen, metrics, data, datasets, runs, said, importance, table)
