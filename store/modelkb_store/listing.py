"""One row per experiment, with its hyperparameters and last metrics as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from modelkb_store.history_names import history_name, history_name_codes
from modelkb_store.json_column import JsonColumn
from modelkb_store.text_column import Codes, encoded_texts, numpy_of, plain_texts, positions_in

if TYPE_CHECKING:
    from modelkb_store.tables import Tables

__all__ = ["history_name", "list_experiments"]


def list_experiments(
    tables: Tables, project: str | None = None, *, experiment_ids: Collection[str] | None = None
) -> pa.Table:
    """Return the experiments, oldest first.

    Columns are those of the table ``experiments``, then ``params.NAME`` for every
    hyperparameter and ``metrics.NAME`` for the last value of every metric, where NAME is
    as in Keras' history (``loss``, ``val_loss``). A number column holds int64 or double; one
    whose runs disagree in type holds JSON text.

    Args:
        tables: The tables of a store.
        project: Only this project's experiments.
        experiment_ids: Only these; columns that none of them has are left out.
    """
    where = None if experiment_ids is None else {"experiment_id": experiment_ids}
    experiments = _plain(tables.read("experiments", project, where=where)).sort_by("experiment_id")
    ids = plain_texts(experiments["experiment_id"])
    parameters = tables.read(
        "hyperparameters", project, ["experiment_id", "name", "value"], where=where
    )
    summaries = tables.read(
        "metric_summaries", project, ["experiment_id", "split", "metric", "last"], where=where
    )
    names, columns = list(experiments.column_names), list(experiments.columns)
    for prefix, found in (
        ("params", _parameter_columns(ids, parameters)),
        ("metrics", _metric_columns(ids, summaries)),
    ):
        for name, column in sorted(found, key=lambda item: item[0]):
            names.append(f"{prefix}.{name}")
            columns.append(column)
    return pa.table(columns, names=names)


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with its texts as such, which pandas would take for categories."""
    for position, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            texts = plain_texts(table.column(position))
            table = table.set_column(position, field.name, texts)
    return table


def _parameter_columns(ids: pa.Array, table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    codes, names = encoded_texts(table["name"])
    values = JsonColumn(table["value"])
    rows = positions_in(table["experiment_id"], ids)
    for code, place, source in _by_name(rows, codes, len(names)):
        picked = np.full(len(ids), -1, np.int64)
        picked[place] = source
        yield names[code].as_py(), values.array(picked)


def _metric_columns(ids: pa.Array, table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    codes, names = history_name_codes(table["split"], table["metric"])
    values = numpy_of(table["last"].fill_null(0.0))
    known = numpy_of(table["last"].is_valid())
    rows = np.where(known, positions_in(table["experiment_id"], ids), -1)
    for code, place, source in _by_name(rows, codes, len(names)):
        column, missing = np.zeros(len(ids)), np.ones(len(ids), bool)
        column[place] = values[source]
        missing[place] = False
        yield names[code], pa.array(column, pa.float64(), mask=missing)


def _by_name(rows: Codes, codes: Codes, count: int) -> Iterator[tuple[int, Codes, Codes]]:
    """Yield for each name the rows of its values, and where in the long table these are."""
    kept = np.flatnonzero((rows >= 0) & (codes >= 0))
    kept = kept[np.argsort(codes[kept], kind="stable")]
    ends = np.cumsum(np.bincount(codes[kept], minlength=count))
    for code, end in enumerate(ends.tolist()):
        start = ends[code - 1] if code else 0
        if end > start:
            yield code, rows[kept[start:end]], kept[start:end]
