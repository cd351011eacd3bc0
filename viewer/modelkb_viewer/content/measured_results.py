"""A metric of experiments, and the hyperparameters that vary between them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from modelkb_store import Store
from modelkb_viewer.content.hyperparameter_values import Hyperparameter, varying_hyperparameters
from modelkb_viewer.content.importance import importances
from modelkb_viewer.content.metric_values import Summary, metric_values
from modelkb_viewer.content.selected_experiments import LABEL


@dataclass(frozen=True)
class MeasuredResults:
    """A metric of experiments, and the hyperparameters that vary between these.

    Attributes:
        metric: The name of the metric.
        values: One number per experiment, by its label.
        hyperparameters: Their values are in the order of ``values``.
    """

    metric: str
    values: pd.Series
    hyperparameters: list[Hyperparameter]

    def importances(self) -> pd.DataFrame:
        """Return how important each is; see :mod:`modelkb_viewer.content.importance`."""
        return importances(self.hyperparameters, self.values, self.metric)

    def most_important_first(self, found: pd.DataFrame | None = None) -> list[Hyperparameter]:
        """Return the hyperparameters in order.

        Args:
            found: Of :meth:`importances`, where they are known already.
        """
        known = self.importances() if found is None else found
        place = {name: number for number, name in enumerate(known["hyperparameter"])}
        return sorted(self.hyperparameters, key=lambda each: place.get(each.name, len(place)))


def measured_results(
    store: Store, experiments: pd.DataFrame, metric: str, summary: Summary = "best"
) -> MeasuredResults:
    """Return the results of those of some experiments that have a metric.

    Args:
        store: The store.
        experiments: As of :func:`modelkb_viewer.content.selected_experiments.selected_experiments`.
        metric: Its name in Keras' history.
        summary: Which number of its curve counts.
    """
    values = metric_values(store, experiments, metric, summary)
    measured = experiments[experiments[LABEL].isin(values.index)].reset_index(drop=True)
    return MeasuredResults(metric, values, varying_hyperparameters(measured))
