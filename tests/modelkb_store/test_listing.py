from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkb_store.listing import list_experiments
from parquet_tables import ParquetTables, add_experiment, experiment_id


@pytest.fixture(params=[False, True], ids=["plain", "encoded"])
def tables(tmp_path: Path, request: pytest.FixtureRequest) -> ParquetTables:
    return ParquetTables(tmp_path / "tables", encoded=request.param)


@pytest.fixture
def column_of(tables: ParquetTables) -> Callable[..., pa.ChunkedArray]:
    """Writes a run for each value of a hyperparameter, and returns the listing's column."""

    def make(*values: Any) -> pa.ChunkedArray:
        for number, value in enumerate(values):
            params = None if value is None else {"x": json.dumps(value)}
            add_experiment(tables, number, params=params)
        return list_experiments(tables)["params.x"]

    return make


def test_a_store_without_experiments(tables: ParquetTables) -> None:
    read = list_experiments(tables)

    assert read.num_rows == 0
    assert read.schema.names[:3] == ["project", "experiment_id", "name"]


def test_experiments_are_listed_oldest_first(tables: ParquetTables) -> None:
    for number, project in ((3, "a"), (1, "b"), (2, "a")):
        add_experiment(tables, number, project=project)

    assert list_experiments(tables)["name"].to_pylist() == ["run-1", "run-2", "run-3"]
    assert list_experiments(tables)["project"].to_pylist() == ["b", "a", "a"]
    assert list_experiments(tables, "a")["name"].to_pylist() == ["run-2", "run-3"]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], pa.int64(), [1, 2]),
        ([1, None, -3], pa.int64(), [1, None, -3]),
        ([0.5, None], pa.float64(), [0.5, None]),
        ([1e-05, 1e300], pa.float64(), [1e-05, 1e300]),
        ([1, 0.5], pa.float64(), [1.0, 0.5]),
        (["adam", None], pa.string(), ["adam", None]),
        (['a "b"\n', "\u00e4", ""], pa.string(), ['a "b"\n', "\u00e4", ""]),
        ([True, False, None], pa.bool_(), [True, False, None]),
        ([1, "auto"], pa.string(), ["1", "auto"]),
        ([1, True], pa.string(), ["1", "true"]),
        ([0.5, False, None], pa.string(), ["0.5", "false", None]),
        ([[1, 2], None], pa.string(), ["[1, 2]", None]),
        ([[1, 2], 3, {"a": None}], pa.string(), ["[1, 2]", "3", '{"a": null}']),
        ([(1 << 63) - 1], pa.int64(), [(1 << 63) - 1]),
        ([1 << 62, -(1 << 62)], pa.int64(), [1 << 62, -(1 << 62)]),
        ([1 << 70, 1], pa.float64(), [float(1 << 70), 1.0]),
        ([1 << 63], pa.float64(), [float(1 << 63)]),
        ([-(1 << 63)], pa.int64(), [-(1 << 63)]),
        ([(1 << 53) + 1, 0.5], pa.float64(), [float(1 << 53), 0.5]),
        ([10**400], pa.string(), ["1" + 400 * "0"]),
    ],
)
def test_a_column_has_the_type_of_its_values(
    column_of: Callable[..., pa.ChunkedArray],
    values: list[Any],
    kind: pa.DataType,
    expected: list[Any],
) -> None:
    column = column_of(*values)

    assert column.type == kind
    assert column.to_pylist() == expected


def test_numbers_that_are_none_are_doubles(column_of: Callable[..., pa.ChunkedArray]) -> None:
    column = column_of(float("nan"), float("inf"), float("-inf"), 1)

    assert column.type == pa.float64()
    nan, *others = column.to_pylist()
    assert math.isnan(nan)
    assert others == [math.inf, -math.inf, 1.0]


def test_a_text_that_is_no_json_is_shown_as_it_is(tables: ParquetTables) -> None:
    add_experiment(tables, 1, params={"x": "{not json"})

    assert list_experiments(tables)["params.x"].to_pylist() == ["{not json"]


SMALL_VALUES = (
    st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
    | st.lists(st.integers(-9, 9), max_size=3)
)


@settings(max_examples=60)
@given(st.lists(st.none() | SMALL_VALUES, min_size=1, max_size=4), st.booleans())
def test_a_value_is_found_in_the_row_of_its_run(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], encoded: bool
) -> None:
    tables = ParquetTables(tmp_path_factory.mktemp("tables"), encoded=encoded)
    for number, value in enumerate(values):
        params = {"y": "1"} if value is None else {"x": json.dumps(value), "y": "1"}
        add_experiment(tables, number, params=params)
    if all(value is None for value in values):
        assert "params.x" not in list_experiments(tables).column_names
        return

    read = list_experiments(tables)["params.x"]

    for value, cell in zip(values, read.to_pylist(), strict=True):
        if isinstance(cell, str) and not isinstance(value, str):
            assert cell == json.dumps(value)
        elif isinstance(cell, float):
            assert cell == float(value)
        else:
            assert cell == value


def test_a_column_for_each_name_sorted(tables: ParquetTables) -> None:
    add_experiment(tables, 1, params={"epochs": "3", "optimizer": '"adam"'})
    add_experiment(
        tables, 2, params={"batch_size": "32", "epochs": "4"}, metrics={("train", "loss"): [0.5]}
    )

    read = list_experiments(tables)

    assert read.schema.names[-4:] == [
        "params.batch_size",
        "params.epochs",
        "params.optimizer",
        "metrics.loss",
    ]
    assert read["params.epochs"].to_pylist() == [3, 4]
    assert read["params.batch_size"].to_pylist() == [None, 32]
    assert read["metrics.loss"].to_pylist() == [None, 0.5]


def test_a_hyperparameter_that_is_null_in_all_runs_has_a_column(tables: ParquetTables) -> None:
    add_experiment(tables, 1, params={"clipnorm": "null"})

    assert list_experiments(tables)["params.clipnorm"].to_pylist() == [None]


def test_columns_of_another_project_are_not_there(tables: ParquetTables) -> None:
    add_experiment(tables, 1, params={"colour": '"black"'}, project="cats")
    add_experiment(tables, 2, params={"size": "3"}, project="dogs")

    assert "params.colour" not in list_experiments(tables, "dogs").schema.names
    assert list_experiments(tables, "dogs")["params.size"].to_pylist() == [3]


def test_metrics_are_named_as_in_the_history(tables: ParquetTables) -> None:
    metrics = {
        ("train", "loss"): [9.0, 7.0],
        ("validation", "loss"): [-9.0, -7.0],
        ("test", "loss"): [1.0],
    }
    add_experiment(tables, 1, metrics=metrics)

    read = list_experiments(tables)

    assert read.schema.names[-3:] == ["metrics.loss", "metrics.test_loss", "metrics.val_loss"]
    assert [read[name].to_pylist() for name in read.schema.names[-3:]] == [[7.0], [1.0], [-7.0]]
    assert "metrics" not in {table for table, _, _ in tables.reads}


def test_a_loss_that_is_no_number_is_shown_as_such(tables: ParquetTables) -> None:
    add_experiment(tables, 1, metrics={("train", "loss"): [0.5, math.nan]})
    add_experiment(tables, 2)

    nan, none = list_experiments(tables)["metrics.loss"].to_pylist()

    assert math.isnan(nan)
    assert none is None


def test_only_some_experiments(tables: ParquetTables) -> None:
    for number in range(4):
        add_experiment(tables, number, params={f"p{number}": "1"})

    read = list_experiments(tables, experiment_ids=[experiment_id(3), experiment_id(1)])

    assert read["name"].to_pylist() == ["run-1", "run-3"]
    assert [name for name in read.column_names if "." in name] == ["params.p1", "params.p3"]
    assert list_experiments(tables, experiment_ids=[]).num_rows == 0


def test_rows_of_unknown_experiments_are_left_out(tables: ParquetTables) -> None:
    add_experiment(tables, 1, params={"x": "1"})
    tables.write("hyperparameters", [{"experiment_id": "gone", "name": "x", "value": "2"}])
    tables.write(
        "metric_summaries",
        [{"experiment_id": "gone", "split": "train", "metric": "loss", "last": 2.0}],
    )

    read = list_experiments(tables)

    assert read["params.x"].to_pylist() == [1]
    assert "metrics.loss" not in read.column_names
