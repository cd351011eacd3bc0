"""One row per experiment, with its hyperparameters and last metrics as columns."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from modelkb_store.tables import Tables

_PREFIX_OF_SPLIT = {"train": "", "validation": "val_"}


def list_experiments(tables: Tables, project: str | None = None) -> pa.Table:
    """Return the experiments, oldest first.

    Columns are those of the table ``experiments``, then ``params.NAME`` for every
    hyperparameter and ``metrics.NAME`` for the last value of every metric, where NAME is
    as in Keras' history (``loss``, ``val_loss``). A number column holds int64 or double; one
    whose runs disagree in type holds JSON text.
    """
    experiments = tables.read("experiments", project).sort_by("experiment_id")
    ids = experiments["experiment_id"].to_pylist()
    for prefix, long, decode in (
        ("params", _hyperparameters(tables, project), json.loads),
        ("metrics", _last_metrics(tables, project), float),
    ):
        for name, column in _pivot(ids, long, decode).items():
            experiments = experiments.append_column(f"{prefix}.{name}", column)
    return experiments


def history_name(split: str, metric: str) -> str:
    """Return the name that Keras' history has for a metric of a split."""
    return _PREFIX_OF_SPLIT.get(split, f"{split}_") + metric


def _hyperparameters(tables: Tables, project: str | None) -> Iterable[tuple[str, str, Any]]:
    table = tables.read("hyperparameters", project, ["experiment_id", "name", "value"])
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _last_metrics(tables: Tables, project: str | None) -> Iterable[tuple[str, str, Any]]:
    table = tables.read("metrics", project, ["experiment_id", "split", "metric", "epoch", "value"])
    # The last epoch's row is the last in its file; the sort makes this so across parts.
    last = (
        table.sort_by([("epoch", "ascending")])
        .group_by(["experiment_id", "split", "metric"], use_threads=False)
        .aggregate([("value", "last")])
    )
    rows = zip(
        *(last[name].to_pylist() for name in ("experiment_id", "split", "metric", "value_last")),
        strict=True,
    )
    return ((run, history_name(split, metric), value) for run, split, metric, value in rows)


def _pivot(
    ids: list[str], long: Iterable[tuple[str, str, Any]], decode: Callable[[Any], Any]
) -> dict[str, pa.Array]:
    row_of = {experiment_id: row for row, experiment_id in enumerate(ids)}
    columns: dict[str, list[Any]] = {}
    for experiment_id, name, value in long:
        row = row_of.get(experiment_id)
        if row is not None and value is not None:
            columns.setdefault(name, [None] * len(ids))[row] = decode(value)
    return {name: _column(columns[name]) for name in sorted(columns)}


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        with contextlib.suppress(OverflowError):  # too large a whole number: as text
            return _number_column(values, floating=float in kinds)
    if kinds in ({str}, {bool}):
        return pa.array(values)
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values])


def _number_column(values: list[Any], *, floating: bool) -> pa.Array:
    whole = not floating and all(v is None or -(1 << 63) <= v < 1 << 63 for v in values)
    if whole:
        return pa.array(values, pa.int64())
    return pa.array([None if v is None else float(v) for v in values], pa.float64())
