"""Experiments grouped by a value: how good those of each value are."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pandas as pd

from modelkb_store import Store
from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.filters import Value, can_be_written, equal_to
from modelkb_viewer.content.parameter_values import parameter_values

MISSING = "(not set)"
_COLUMNS = ["value", "runs", "best", "mean", "std", "condition"]


def group_experiments(
    store: Store, project: str, experiment_ids: Sequence[str], by: str, metric: str
) -> pd.DataFrame:
    """Return one row for each value that experiments have, the best first.

    Args:
        store: The store.
        project: The project of the experiments.
        experiment_ids: Which ones.
        by: The column of the listing to group by, such as ``params.optimizer``.
        metric: The metric, as in Keras' history; of each run its last value counts.

    Returns:
        Columns ``value`` (text), ``runs``, ``best``, ``mean`` and ``std`` (of a sample; none of
        a single run) of the metric, and ``condition``: the query for these runs alone.
    """
    rows = store.experiment_rows(experiment_ids, project)
    ids = rows["experiment_id"].to_pylist()
    nothing: list[Any] = [None] * len(ids)
    if by.startswith("params."):
        values = parameter_values(store, project, by.removeprefix("params."))
        keys: list[Any] = [values.get(each) for each in ids]
    else:
        keys = rows[by].to_pylist() if by in rows.column_names else nothing
    column = f"metrics.{metric}"
    numbers = rows[column].to_pylist() if column in rows.column_names else nothing
    groups: defaultdict[str, list[float | None]] = defaultdict(list)
    for key, number in zip(keys, numbers, strict=True):
        groups[json.dumps(key, default=str)].append(number)
    found = [_row(json.loads(text), numbers, by, metric) for text, numbers in groups.items()]
    frame: pd.DataFrame = pd.DataFrame(found, columns=_COLUMNS).sort_values(
        "best", ascending=not higher_is_better(metric), ignore_index=True, kind="stable"
    )
    return frame


def _row(
    value: Value | None, numbers: Sequence[float | None], by: str, metric: str
) -> tuple[object, ...]:
    known = pd.Series(
        [number for number in numbers if number is not None and not math.isnan(number)],
        dtype="float64",
    )
    best = known.max() if higher_is_better(metric) else known.min()
    condition = equal_to(by, value) if value is None or can_be_written(value) else None
    return _text(value), len(numbers), best, known.mean(), known.std(), condition


def _text(value: Value | None) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else json.dumps(value)
