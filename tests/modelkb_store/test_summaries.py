from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from modelkb_store.records import MetricSummaryRecord
from modelkb_store.schemas import SCHEMAS
from modelkb_store.summaries import summarize
from modelkb_store.table_file import records_of, rows_of_records
from small_experiment import STARTED, metric_record

VALUES = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, -1.0, 5e-324]) | st.floats()
ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 5),
        st.sampled_from(["train", "test"]),
        st.sampled_from(["loss", "acc"]),
        VALUES,
    ),
    max_size=30,
)


def metrics(rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows in the order in which they were recorded."""
    return rows_of_records(
        "metrics",
        [
            metric_record(
                run,
                epoch,
                value,
                split=split,
                metric=metric,
                wall_time=STARTED + timedelta(seconds=number),
            )
            for number, (run, epoch, split, metric, value) in enumerate(rows)
        ],
    )


def by_pandas(table: pa.Table) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    frame = table.to_pandas().sort_values(["epoch", "wall_time"], kind="stable")
    found = {}
    for key, curve in frame.groupby(["experiment_id", "split", "metric"]):
        values = curve["value"]
        low, high = values.min(), values.max()
        found[key] = (
            len(curve),
            values.iloc[0],
            values.iloc[-1],
            curve["epoch"].iloc[-1],
            low,
            None if values.isna().all() else curve["epoch"][values == low].iloc[0],
            high,
            None if values.isna().all() else curve["epoch"][values == high].iloc[0],
        )
    return found


def plain(values: tuple[Any, ...]) -> list[str]:
    return ["nothing" if v is None or pd.isna(v) else repr(float(v)) for v in values]


@given(ROWS)
def test_summaries_are_those_of_pandas(rows: list[tuple[Any, ...]]) -> None:
    table = metrics(rows)

    found = summarize(table)

    assert found.schema.equals(SCHEMAS["metric_summaries"])
    expected = by_pandas(table)
    names = ["count", "first", "last", "last_epoch", "min", "min_epoch", "max", "max_epoch"]
    of_rows = {
        (row["experiment_id"], row["split"], row["metric"]): tuple(row[name] for name in names)
        for row in found.to_pylist()
    }
    assert len(of_rows) == found.num_rows
    assert {key: plain(row) for key, row in of_rows.items()} == {
        key: plain(row) for key, row in expected.items()
    }


@given(ROWS, st.randoms())
def test_the_order_of_files_makes_no_difference(rows: list[tuple[Any, ...]], random: Any) -> None:
    table = metrics(rows)
    places = list(range(len(rows)))
    random.shuffle(places)

    shuffled = summarize(table.take(pa.array(places, pa.int64())))
    key = [("experiment_id", "ascending"), ("split", "ascending"), ("metric", "ascending")]
    first, second = (found.sort_by(key).to_pylist() for found in (summarize(table), shuffled))
    assert repr(first) == repr(second)


def test_no_rows() -> None:
    assert summarize(SCHEMAS["metrics"].empty_table()).equals(
        SCHEMAS["metric_summaries"].empty_table()
    )


def test_nan_is_neither_smallest_nor_largest() -> None:
    rows = [("a", epoch, "train", "loss", v) for epoch, v in enumerate([math.nan, 2.0, 1.0, 1.0])]
    (found,) = records_of(summarize(metrics(rows)).to_pylist(), MetricSummaryRecord)
    assert math.isnan(found.first)
    assert (found.min, found.min_epoch, found.max, found.max_epoch) == (1.0, 2, 2.0, 1)
    assert (found.count, found.last, found.last_epoch) == (4, 1.0, 3)


def test_nothing_but_nan() -> None:
    rows = [("a", epoch, "train", "loss", math.nan) for epoch in range(3)]
    (found,) = records_of(summarize(metrics(rows)).to_pylist(), MetricSummaryRecord)
    assert (found.min, found.min_epoch, found.max, found.max_epoch) == (None, None, None, None)
    assert math.isnan(found.last)
