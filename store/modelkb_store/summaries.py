"""A curve in one row: count, first, last, smallest and largest value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.schemas import SCHEMAS

_CURVE = ("experiment_id", "split", "metric")
_SCHEMA = SCHEMAS["metric_summaries"]


def summarize(metrics: pa.Table) -> pa.Table:
    """Return the rows of ``metric_summaries`` for rows of ``metrics``, each curve's in order.

    Of several rows of one epoch the one that was recorded last counts as the last. NaN is neither
    the smallest nor the largest value.
    """
    if not metrics.num_rows:
        return _SCHEMA.empty_table()
    moments = metrics["wall_time"].cast(pa.int64()).fill_null(0).to_numpy()
    order = np.lexsort((moments, metrics["epoch"].to_numpy()))
    metrics = metrics.take(pa.array(order))
    groups = _group_numbers(metrics)
    # Rows of one curve become neighbours, still in the order of their epochs.
    by_curve = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[by_curve], prepend=-1))
    ends = np.append(starts[1:], len(by_curve)) - 1
    values = metrics["value"].to_numpy()[by_curve]
    epochs = metrics["epoch"].to_numpy()[by_curve]
    columns = {name: metrics[name].take(pa.array(by_curve[starts])) for name in _CURVE}
    columns |= {
        "count": pa.array(ends - starts + 1),
        "first": pa.array(values[starts]),
        "last": pa.array(values[ends]),
        "last_epoch": pa.array(epochs[ends]),
    }
    for name, fill, best in (("min", np.inf, np.minimum), ("max", -np.inf, np.maximum)):
        extremes = best.reduceat(np.where(np.isnan(values), fill, values), starts)
        columns |= _extreme(name, extremes, values, epochs, starts)
    return pa.table({name: columns[name] for name in _SCHEMA.names}, schema=_SCHEMA)


def _extreme(
    name: str,
    extremes: np.ndarray,
    values: np.ndarray,
    epochs: np.ndarray,
    starts: np.ndarray,
) -> dict[str, pa.Array]:
    lengths = np.diff(np.append(starts, len(values)))
    curve_of_row = np.repeat(np.arange(len(starts)), lengths)
    hits = np.flatnonzero(values == extremes[curve_of_row])
    first_hit = np.full(len(starts), -1)
    # Backwards, so that the first of several is what remains.
    first_hit[curve_of_row[hits[::-1]]] = hits[::-1]
    missing = first_hit < 0  # nothing but NaN
    return {
        name: pa.array(extremes, mask=missing),
        f"{name}_epoch": pa.array(epochs[first_hit].astype(np.int32), mask=missing),
    }


def _group_numbers(metrics: pa.Table) -> np.ndarray:
    """Return for each row the number of its curve."""
    numbers = np.zeros(metrics.num_rows, np.int64)
    for name in _CURVE:
        encoded = pc.dictionary_encode(metrics[name]).combine_chunks()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers = numbers * (len(encoded.dictionary) + 1) + codes
    return numbers
