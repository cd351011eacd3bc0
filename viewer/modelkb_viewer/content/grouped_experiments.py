"""Experiments grouped by a value: how good those of each value are."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from modelkb_store import Store
from modelkb_store.metric_direction import higher_is_better
from modelkb_viewer.content.filters import Value, can_be_written, equal_to
from modelkb_viewer.content.parameter_values import parameter_values

MISSING = "(not set)"
_COLUMNS = ["value", "runs", "best", "mean", "std", "condition"]


def group_experiments(
    store: Store, project: str, rows: pa.Table, by: str, metric: str
) -> pd.DataFrame:
    """Return one row for each value that experiments have, the best first.

    Args:
        store: The store.
        project: The project of the experiments.
        rows: The experiments, as :meth:`modelkb_store.Store.experiment_table` lists them.
        by: The column to group by, such as ``params.optimizer``.
        metric: The metric, as in Keras' history; of each run its last value counts.

    Returns:
        Columns ``value`` (text), ``runs``, ``best``, ``mean`` and ``std`` (of a sample; none of
        a single run) of the metric, and ``condition``: the query for these runs alone,
        empty where the language has none.
    """
    numbers = _column(rows, f"metrics.{metric}")
    groups: defaultdict[str, list[float | None]] = defaultdict(list)
    for key, number in zip(_keys(store, project, rows, by), numbers, strict=True):
        groups[json.dumps(key, default=str)].append(number)
    found = [_row(json.loads(text), numbers, by, metric) for text, numbers in groups.items()]
    frame: pd.DataFrame = pd.DataFrame(found, columns=_COLUMNS).sort_values(
        "best", ascending=not higher_is_better(metric), ignore_index=True, kind="stable"
    )
    return frame


def _keys(store: Store, project: str, rows: pa.Table, by: str) -> list[Any]:
    keys = _column(rows, by)
    # A column of texts may hold values of several types, as JSON.
    if by.startswith("params.") and any(isinstance(key, str) for key in keys):
        values = parameter_values(store, project, by.removeprefix("params."))
        return [values.get(each) for each in rows["experiment_id"].to_pylist()]
    return keys


def _column(rows: pa.Table, name: str) -> list[Any]:
    if name in rows.column_names:
        values: list[Any] = rows[name].to_pylist()
        return values
    return [None] * rows.num_rows


def _row(
    value: Value | None, numbers: Sequence[float | None], by: str, metric: str
) -> tuple[object, ...]:
    known = pd.Series(
        [number for number in numbers if number is not None and not math.isnan(number)],
        dtype="float64",
    )
    best = known.max() if higher_is_better(metric) else known.min()
    condition = equal_to(by, value) if value is None or can_be_written(value) else ""
    return _text(value), len(numbers), best, known.mean(), known.std(), condition


def _text(value: Value | None) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else json.dumps(value)
