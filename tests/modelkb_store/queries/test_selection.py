from __future__ import annotations

import math
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from modelkb_store.errors import (
    InvalidSettingError,
    QueryError,
    QueryTypeError,
    UnknownQueryNameError,
)
from modelkb_store.listing import list_experiments
from modelkb_store.queries import select_experiments
from parquet_tables import BEGIN, ParquetTables, add_experiment

NAN = math.nan


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "encoded"])
def tables(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> ParquetTables:
    """Five runs: the last has neither hyperparameters nor metrics."""
    made = ParquetTables(tmp_path_factory.mktemp("tables"), encoded=request.param)
    rows = [
        ('"adam"', "0.1", "[64, 32]", "true", "8", [0.9, 0.5, 0.6], [0.2, 0.9, 0.7]),
        ('"sgd"', "0.01", "[64]", "false", '"auto"', [0.8, 0.7, 0.4], [0.3, 0.5, 0.95]),
        ('"Adam\\"W"', "1", "[]", "null", "16.5", [NAN, 0.2, NAN], [0.1, 0.1, 0.1]),
        ('"adam"', "1e-3", '{"a": 1}', "true", "true", [1.5], [0.4]),
    ]
    for number, (optimizer, rate, widths, augment, mixed, loss, accuracy) in enumerate(rows, 1):
        add_experiment(
            made,
            number,
            params={
                "optimizer": optimizer,
                "optimizer.momentum": str(number / 10),
                "lr": rate,
                "layers": widths,
                "augment": augment,
                "mixed": mixed,
                "odd name": str(number),
            },
            metrics={("train", "loss"): loss, ("validation", "accuracy"): accuracy},
            tags=["baseline", "x"] if number % 2 else ["x"],
            seed=(1 << 53) + number,
            notes="100% sure_thing" if number == 1 else "",
            model_id=f"m{number % 2}",
            dataset_id="d",
            architecture_id="a",
        )
    add_experiment(made, 5, project="other", status="failed", started_at=BEGIN, tags=["100"])
    for number, count in ((0, 500), (1, 20)):
        row = {"model_id": f"m{number}", "parameter_count": count, "kind": "functional"}
        made.write("models", [row])
    made.write("datasets", [{"dataset_id": "d", "kind": "arrays", "sample_count": 10}])
    return made


def chosen(tables: ParquetTables, where: str | None = None, **more: object) -> list[int]:
    """Return the numbers of the runs that a query chooses."""
    read = select_experiments(tables, where=where, now=BEGIN + timedelta(days=4), **more)
    return [int(name.removeprefix("run-")) for name in read["name"].to_pylist()]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("params.lr < 0.1", [2, 4]),
        ("params.lr >= .1", [1, 3]),
        ("0.01 = params.lr", [2]),
        ("0.001 < params.lr <= 0.1", [1, 2]),
        ("params.lr between 0.001 and 0.01", [2, 4]),
        ("params.lr not between 0.001 and 0.01", [1, 3]),
        ("params.optimizer = 'adam'", [1, 4]),
        ("params.optimizer <> 'adam'", [2, 3]),
        ("not params.optimizer = 'adam'", [2, 3]),
        ("params.optimizer > 'adam'", [2]),
        ("""params.optimizer = 'Adam"W'""", [3]),
        ("params.optimizer in ('adam', 'x')", [1, 4]),
        ("params.optimizer not in ['adam']", [2, 3]),
        ("params.lr in (1, 0.1)", [1, 3]),
        ("params.optimizer like 'a%m'", [1, 4]),
        ("params.optimizer like '_dam'", [1, 4]),
        ("params.optimizer ilike 'ADAM%'", [1, 3, 4]),
        ("params.optimizer not like 'a%'", [2, 3]),
        ("notes like '100%thing'", [1]),
        ("params.optimizer.momentum > 0.25", [3, 4]),
        ("params.`odd name` = 2", [2]),
        ("params.augment", [1, 4]),
        ("not params.augment", [2]),
        ("params.augment = false", [2]),
        ("params.augment is null", [3, 5]),
        ("params.augment is not null", [1, 2, 4]),
        ("params.layers = [64, 32]", [1]),
        ("params.layers != [64.0]", [1, 3]),
        ("params.layers = []", [3]),
        ("64 in params.layers", [1, 2]),
        ("64 not in params.layers", [3]),
        ("params.mixed > 7", [1, 3]),
        ("params.mixed = 'auto'", [2]),
        ("params.mixed in (8, 'auto')", [1, 2]),
        ("params.mixed", [4]),
        ("params.lr < params.optimizer.momentum", [2, 4]),
        ("params.lr = params.mixed or params.lr = 1", [3]),
        ("metrics.loss > 0.5", [1, 4]),
        ("metrics.loss is nan", [3]),
        ("metrics.loss != 0.4", [1, 3, 4]),
        ("metrics.loss.best < 0.45", [2, 3]),
        ("metrics.loss.min = 0.5", [1]),
        ("metrics.loss.first = 0.9", [1]),
        ("metrics.val_accuracy.best >= 0.9", [1, 2]),
        ("metrics.val_accuracy.last >= 0.9", [2]),
        ("metrics.val_accuracy.max = 0.4", [4]),
        ("metrics.val_accuracy@1 = 0.5", [2]),
        ("metrics.val_accuracy@1 is null", [4, 5]),
        ("metrics.loss@1000 is null", [1, 2, 3, 4, 5]),
        ("'baseline' in tags", [1, 3]),
        ("'baseline' not in tags", [2, 4, 5]),
        ("'100' in tags", [5]),
        ("100 in tags", []),
        ("status = 'failed'", [5]),
        ("project = 'other'", [5]),
        ("seed = 9007199254740993", [1]),
        ("seed is null", [5]),
        ("duration_seconds > 200", [4, 5]),
        ("started_at >= '2026-11-04 10:00'", [3, 4]),
        ("started_at >= '2026-11-04T10:00:01'", [4]),
        ("started_at < '2026-11-03T11:00+01:00'", [1, 5]),
        ("started_at < '2026-11-03T10:00:00Z'", [1, 5]),
        ("started_at between '2026-11' and '2026-11-02 23:59'", [1, 5]),
        ("started_at in ('2026-11-02 10:00', 'never')", [1]),
        ("started_at > now() - 2 days", [3, 4]),
        ("started_at > now()", []),
        ("ended_at is null", [1, 2, 3, 4, 5]),
        ("ended_at > '2026'", []),
        ("model.parameter_count > 100", [2, 4]),
        ("model.kind = 'functional'", [1, 2, 3, 4]),
        ("dataset.sample_count = 10", [1, 2, 3, 4]),
        ("experiment_id like '20261101-%'", [1, 2, 3, 4, 5]),
        ("1 < 2", [1, 2, 3, 4, 5]),
        ("1 in (2, 3)", []),
        ("true and not false", [1, 2, 3, 4, 5]),
        ("params.lr > 0 or status = 'failed'", [1, 2, 3, 4, 5]),
        ("not (params.lr > 0.05 and metrics.loss < 1)", [2, 3, 4]),
        ("   ", [1, 2, 3, 4, 5]),
    ],
)
def test_conditions(tables: ParquetTables, where: str, expected: list[int]) -> None:
    assert sorted(chosen(tables, where)) == expected


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        (None, [1, 2, 3, 4, 5]),
        ("params.lr", [4, 2, 1, 3, 5]),
        ("-params.lr", [3, 1, 2, 4, 5]),
        ("params.lr desc", [3, 1, 2, 4, 5]),
        ("params.optimizer, -params.lr", [3, 1, 4, 2, 5]),
        (["params.optimizer", "params.lr asc"], [3, 4, 1, 2, 5]),
        ("metrics.loss", [2, 1, 4, 3, 5]),
        ("-metrics.loss", [4, 1, 2, 3, 5]),
        ("status", [5, 1, 2, 3, 4]),
        ("params.augment", [2, 1, 4, 3, 5]),
        ("params.mixed", [1, 3, 2, 4, 5]),
        ("-started_at", [4, 3, 2, 1, 5]),
        ("-model.parameter_count", [2, 4, 1, 3, 5]),
    ],
)
def test_orders(
    tables: ParquetTables, order_by: str | list[str] | None, expected: list[int]
) -> None:
    assert chosen(tables, order_by=order_by) == expected


def test_limits(tables: ParquetTables) -> None:
    assert chosen(tables, "params.lr > 0", order_by="-params.lr", limit=2) == [3, 1]
    assert chosen(tables, limit=2) == [1, 2]
    assert chosen(tables, limit=0) == []
    with pytest.raises(InvalidSettingError, match="limit"):
        chosen(tables, limit=-1)


def test_a_project(tables: ParquetTables) -> None:
    assert chosen(tables, "status = 'failed'", project="digits") == []
    with pytest.raises(UnknownQueryNameError, match="hyperparameter 'params.lr'"):
        chosen(tables, "params.lr > 0", project="other")


def test_columns_are_those_of_the_listing(tables: ParquetTables) -> None:
    everything = list_experiments(tables)

    assert str(select_experiments(tables).to_pylist()) == str(everything.to_pylist())
    assert everything.schema.field("name").type == pa.string()
    some = select_experiments(tables, where="params.lr < 0.1", order_by="-params.lr")
    assert set(some.column_names) <= set(everything.column_names)
    assert some["params.layers"].to_pylist() == ["[64]", '{"a": 1}']


def test_named_columns_are_there_even_if_nothing_is_chosen(tables: ParquetTables) -> None:
    none = select_experiments(
        tables, where="params.lr > 100", order_by="metrics.loss.best, params.optimizer"
    )

    assert none.num_rows == 0
    kinds = [none.schema.field(name).type for name in none.column_names if "." in name]
    assert {"params.lr", "params.optimizer", "metrics.loss"} <= set(none.column_names)
    assert pa.float64() in kinds


def test_only_what_is_named_is_read_of_all(tables: ParquetTables) -> None:
    tables.reads.clear()
    select_experiments(
        tables, None, "params.lr < 0.5 and metrics.val_accuracy > 0.6", "-metrics.loss", 1
    )

    of_all = [read for read in tables.reads if "experiment_id" not in (read[2] or ())]
    assert [table for table, _, _ in of_all] == [
        "experiments",
        "hyperparameters",
        "metric_summaries",
    ]
    assert of_all[0][1] == ["experiment_id", "architecture_id"]
    assert of_all[1][2] == {"name": ["lr"]}
    assert set(of_all[2][2]["metric"]) == {"loss", "val_accuracy", "accuracy"}


@pytest.mark.parametrize(
    ("where", "position", "said"),
    [
        ("name = 1", 0, "a text with a number"),
        ("seed = 'x'", 0, "a number with a text"),
        ("1 = 2 and params.optimizer < 3", 10, "a text with a number"),
        ("params.lr = true", 0, "a number with a truth value"),
        ("started_at > 'yesterday'", 0, "'2026-11-01'"),
        ("started_at > 3", 0, "a time"),
        ("tags = 'x'", 0, "'something' in tags"),
        ("params.augment < true", 0, "cannot compare"),
        ("params.lr in ('a', 'b')", 0, "among"),
        ("params.lr like 'a%'", 0, "like"),
        ("'x' in name", 7, "a text"),
        ("name", 0, "neither true nor false"),
        ("params.lr", 0, "neither true nor false"),
        ("name@3 = 'x'", 0, "epochs"),
        ("[1] < [2]", 0, "cannot compare"),
    ],
)
def test_what_cannot_be_compared(
    tables: ParquetTables, where: str, position: int, said: str
) -> None:
    with pytest.raises(QueryTypeError) as caught:
        chosen(tables, where)

    assert caught.value.position == position
    assert said in str(caught.value)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    ("where", "position", "said"),
    [
        ("nam = 'x'", 0, "Did you mean name?"),
        ("lr > 1", 0, "Did you mean params.lr?"),
        ("val_accuracy > 1", 0, "Did you mean metrics.val_accuracy"),
        ("name = 'x' or params.optimiser = 'x'", 14, "Did you mean params.optimizer"),
        ("metrics.val_acuracy > 1", 0, "Did you mean metrics.val_accuracy"),
        ("metrics.accuracy > 1", 0, "Did you mean metrics.val_accuracy"),
        ("model.parameters > 1", 0, "model.parameter_count"),
        ("params > 1", 0, "no hyperparameter 'params'"),
        ("name.x = 1", 0, "no column 'name.x'"),
        ("like_this('x')", 0, "no function"),
        ("diffrs('x')", 0, "Did you mean differs?"),
    ],
)
def test_unknown_names(tables: ParquetTables, where: str, position: int, said: str) -> None:
    with pytest.raises(UnknownQueryNameError) as caught:
        chosen(tables, where)

    assert caught.value.position == position
    assert said in str(caught.value)


def test_an_unknown_name_to_sort_by(tables: ParquetTables) -> None:
    with pytest.raises(UnknownQueryNameError, match=r"-metrics\.los\n"):
        chosen(tables, order_by="-metrics.los")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/x')",
        "().__class__.__bases__[0]",
        "name.__class__",
        "params.__class__.__mro__ = 1",
        "name = ''; drop table experiments",
        "exec('1')",
        "{{7*7}} = 49",
        "lambda: 1",
    ],
)
def test_texts_that_would_like_to_be_run(tables: ParquetTables, text: str) -> None:
    with pytest.raises(QueryError):
        chosen(tables, text)


def test_a_long_condition_is_evaluated_quickly(tables: ParquetTables) -> None:
    where = " or ".join(f"params.lr = {number}" for number in range(3000))

    assert chosen(tables, where) == [3]
    assert chosen(tables, "experiment_id in (" + ", ".join(["'x'"] * 20_000) + ")") == []


def test_an_empty_store(tmp_path: Path) -> None:
    empty = ParquetTables(tmp_path)

    assert select_experiments(empty, where="name = 'x'", order_by="-name").num_rows == 0
    assert select_experiments(empty, where="'a' in tags and started_at > '2026'").num_rows == 0
    assert select_experiments(empty, where="has(Dense) or model.depth > 3").num_rows == 0
    with pytest.raises(UnknownQueryNameError):
        select_experiments(empty, where="params.lr > 3")


def test_the_parser_is_loaded_only_for_a_query() -> None:
    code = "import sys, modelkb_store.queries; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
