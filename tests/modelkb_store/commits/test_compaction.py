"""Merging files: what becomes of rows that have no key."""

from __future__ import annotations

import pyarrow as pa
import pytest

from modelkb_store.commits.compaction import compact, sorted_by_key
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.schemas import SCHEMAS
from modelkb_store.table_file import encode_rows
from modelkb_store.tables import Tables


def predictions(*experiments: str | None) -> pa.Table:
    rows = [
        {"prediction_id": f"p{number}", "experiment_id": run}
        for number, run in enumerate(experiments)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["predictions"])


@pytest.mark.parametrize(
    ("experiments", "in_order"),
    [
        (("b", None, "a", None), ["p1", "p3", "p2", "p0"]),
        ((None, None), ["p0", "p1"]),
        (("a",), ["p0"]),
    ],
)
def test_predictions_of_unknown_models_come_first(
    experiments: tuple[str | None, ...], in_order: list[str]
) -> None:
    found = sorted_by_key("predictions", predictions(*experiments))
    assert found["prediction_id"].to_pylist() == in_order


def test_predictions_of_unknown_models_are_merged(store_files: LocalFiles) -> None:
    for number, run in enumerate(("b", None, None)):
        content = memoryview(encode_rows("predictions", predictions(run)))
        store_files.write(f"predictions/project=digits/{number}.parquet", content)
    assert compact(store_files) == 2
    rows = Tables(store_files).read("predictions", columns=["experiment_id"])
    assert rows["experiment_id"].to_pylist() == [None, None, "b"]
