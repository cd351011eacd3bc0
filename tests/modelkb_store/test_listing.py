from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkb_store.layout import Layout
from modelkb_store.listing import history_name, list_experiments
from modelkb_store.records import HyperparameterRecord
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record

WriterFactory = Callable[..., ExperimentWriter]


def give_hyperparameters(writer: ExperimentWriter, **values: Any) -> None:
    """Record hyperparameters as the callback does: as JSON."""
    experiment_id = writer.experiment.experiment_id
    writer.write_hyperparameters(
        [
            HyperparameterRecord(experiment_id, name, json.dumps(value), None, "user")
            for name, value in values.items()
        ]
    )


def listing(root: Path, project: str | None = None) -> pa.Table:
    return list_experiments(Tables(Layout.open(root)), project)


@pytest.fixture
def column_of(store: Path, writer_factory: WriterFactory) -> Callable[..., pa.ChunkedArray]:
    """Records a run for each value of a hyperparameter, and returns the listing's column."""

    def make(*values: Any) -> pa.ChunkedArray:
        for value in values:
            writer = writer_factory()
            if value is not None:
                give_hyperparameters(writer, x=value)
        return listing(store)["params.x"]

    return make


def test_a_store_without_experiments(store: Path) -> None:
    Layout.create(store)

    assert listing(store).num_rows == 0


def test_experiments_are_listed_oldest_first(store: Path) -> None:
    for number, project in ((3, "a"), (1, "b"), (2, "a")):
        ExperimentWriter(store, project, experiment_record(number))

    assert listing(store)["name"].to_pylist() == ["run-1", "run-2", "run-3"]
    assert listing(store)["project"].to_pylist() == ["b", "a", "a"]
    assert listing(store, "a")["name"].to_pylist() == ["run-2", "run-3"]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], pa.int64(), [1, 2]),
        ([1, None, -3], pa.int64(), [1, None, -3]),
        ([0.5, None], pa.float64(), [0.5, None]),
        ([1, 0.5], pa.float64(), [1.0, 0.5]),
        (["adam", None], pa.string(), ["adam", None]),
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
    column = column_of(float("nan"), float("inf"), 1)

    assert column.type == pa.float64()
    nan, infinity, one = column.to_pylist()
    assert math.isnan(nan)
    assert (infinity, one) == (math.inf, 1.0)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a store of each example."""
    return tmp_path_factory.mktemp("stores")


SMALL_VALUES = (
    st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
    | st.lists(st.integers(-9, 9), max_size=3)
)


@settings(max_examples=20)
@given(st.lists(st.none() | SMALL_VALUES, min_size=1, max_size=4).filter(any))
def test_a_value_is_found_in_the_row_of_its_run(stores: Path, values: list[Any]) -> None:
    store = stores / str(len(list(stores.iterdir())))
    for number, value in enumerate(values):
        writer = ExperimentWriter(store, "digits", experiment_record(number))
        if value is not None:
            give_hyperparameters(writer, x=value)

    read = listing(store)["params.x"].to_pylist()

    for value, cell in zip(values, read, strict=True):
        decoded = value
        if isinstance(cell, str) and not isinstance(value, str):
            decoded = json.dumps(value)
        assert cell == decoded


def test_a_column_for_each_name_sorted(store: Path, writer_factory: WriterFactory) -> None:
    give_hyperparameters(writer_factory(), epochs=3, optimizer="adam")
    second = writer_factory()
    give_hyperparameters(second, batch_size=32, epochs=4)
    second.append_metrics([metric_record(second.experiment.experiment_id, 0, 0.5)])

    read = listing(store)

    assert read.schema.names[:3] == ["project", "experiment_id", "name"]
    assert read.schema.names[-4:] == [
        "params.batch_size",
        "params.epochs",
        "params.optimizer",
        "metrics.loss",
    ]
    assert read["params.epochs"].to_pylist() == [3, 4]
    assert read["params.batch_size"].to_pylist() == [None, 32]
    assert read["metrics.loss"].to_pylist() == [None, 0.5]


def test_columns_of_another_project_are_not_there(
    store: Path, writer_factory: WriterFactory
) -> None:
    give_hyperparameters(writer_factory("cats"), colour="black")
    give_hyperparameters(writer_factory("dogs"), size=3)

    assert "params.colour" not in listing(store, "dogs").schema.names
    assert listing(store, "dogs")["params.size"].to_pylist() == [3]


def test_a_metric_shows_its_value_of_the_last_epoch(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    # Out of order, as after a run that was told its initial epoch.
    for epoch, value in ((0, 9.0), (2, 7.0), (1, 8.0)):
        writer.append_metrics(
            [
                metric_record(experiment_id, epoch, value),
                metric_record(experiment_id, epoch, -value, split="validation"),
            ]
        )

    read = listing(store)

    assert read["metrics.loss"].to_pylist() == [7.0]
    assert read["metrics.val_loss"].to_pylist() == [-7.0]


def test_the_last_value_is_found_over_all_parts(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    for first in (0, 9000, 18_000):
        epochs = range(first, first + 9000)
        writer.append_metrics([metric_record(experiment_id, epoch, epoch / 8) for epoch in epochs])
    other = writer_factory()
    other.append_metrics([metric_record(other.experiment.experiment_id, 5, 3.0)])

    assert len(list((store / "metrics").rglob("*.parquet"))) == 4
    assert listing(store)["metrics.loss"].to_pylist() == [26_999 / 8, 3.0]


def test_a_loss_that_is_no_number_is_shown_as_such(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    writer.append_metrics([metric_record(experiment_id, 0, 0.5)])
    writer.append_metrics(
        [metric_record(experiment_id, 1, math.nan, wall_time=writer.experiment.started_at)]
    )

    (value,) = listing(store)["metrics.loss"].to_pylist()
    assert math.isnan(value)


def test_runs_keep_their_own_times(store: Path, writer_factory: WriterFactory) -> None:
    first, second = writer_factory(), writer_factory()

    started = listing(store)["started_at"].to_pylist()

    assert started == [first.experiment.started_at, second.experiment.started_at]
    assert started[1] - started[0] == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("split", "name"), [("train", "loss"), ("validation", "val_loss"), ("test", "test_loss")]
)
def test_names_are_those_of_the_history(split: str, name: str) -> None:
    assert history_name(split, "loss") == name
