from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store.errors import (
    AmbiguousIdError,
    ExperimentNotFoundError,
    QueryError,
    UnknownQueryNameError,
)
from modelkb_store.queries import select_experiments
from parquet_tables import ParquetTables, add_experiment, experiment_id

ADAM = {"optimizer": '"adam"', "learning_rate": "0.001", "optimizer.beta_1": "0.9", "epochs": "3"}
SGD = {"optimizer": '"sgd"', "learning_rate": "0.01", "optimizer.momentum": "0.9", "epochs": "3"}
SAME = {"architecture_id": "a", "dataset_id": "d", "validation_dataset_id": "v"}


@pytest.fixture(params=[False, True], ids=["plain", "encoded"])
def tables(tmp_path: Path, request: pytest.FixtureRequest) -> ParquetTables:
    return ParquetTables(tmp_path, encoded=request.param)


def chosen(tables: ParquetTables, where: str, project: str | None = None) -> list[int]:
    names = select_experiments(tables, project, where)["name"].to_pylist()
    return [int(name.removeprefix("run-")) for name in names]


@pytest.fixture
def variants(tables: ParquetTables) -> ParquetTables:
    """Runs that differ from the first in one thing each, or in two."""
    add_experiment(tables, 1, params=ADAM, **SAME)
    add_experiment(tables, 2, params=SGD, **SAME)
    add_experiment(tables, 3, params={**SGD, "epochs": "4"}, **SAME)
    add_experiment(tables, 4, params=SGD, **{**SAME, "dataset_id": "other"})
    add_experiment(tables, 5, params=ADAM, **SAME)
    add_experiment(tables, 6, params={**ADAM, "learning_rate": "0.1"}, **SAME)
    add_experiment(tables, 7, params={**ADAM, "optimizer_note": '"x"'}, **SAME)
    add_experiment(tables, 8, params=SGD, project="other", **SAME)
    add_experiment(tables, 9, **SAME)
    add_experiment(tables, 10, params=SGD, **{**SAME, "validation_dataset_id": None})
    return tables


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("'optimizer'", [2, 6, 8]),
        ("'learning_rate'", [6]),
        ("('optimizer', 'epochs')", [2, 3, 6, 8, 9]),
        ("['epochs', 'optimizer']", [2, 3, 6, 8, 9]),
        ("'optimizer_note'", [7]),
        ("'epochs'", []),
    ],
)
def test_differs_only_in(variants: ParquetTables, only: str, expected: list[int]) -> None:
    assert chosen(variants, f"differs('{experiment_id(1)}', only={only})") == expected


def test_differs_from_a_run_of_another_project(variants: ParquetTables) -> None:
    wanted = f"differs('{experiment_id(8)}', only='optimizer')"

    assert chosen(variants, wanted, "digits") == [1, 5, 6]
    assert chosen(variants, wanted, "other") == []


def test_ids_may_be_short_or_names(variants: ParquetTables) -> None:
    short = experiment_id(1).rpartition("-")[2][:9]

    for wanted in (short, "run-1"):
        assert chosen(variants, f"differs('{wanted}', only='learning_rate')") == [6]
    with pytest.raises(ExperimentNotFoundError):
        chosen(variants, "same_data('nothing')")
    with pytest.raises(AmbiguousIdError):
        chosen(variants, "same_data('2026')")


def test_same_architecture(tables: ParquetTables) -> None:
    for number, architecture in enumerate(("a", "b", "a", None), 1):
        add_experiment(tables, number, architecture_id=architecture)

    assert chosen(tables, "same_architecture('run-1')") == [1, 3]
    assert chosen(tables, "not same_architecture('run-1')") == [2]
    assert chosen(tables, "same_architecture('run-4')") == []


def test_same_data_is_of_the_samples(tables: ParquetTables) -> None:
    prints = {"one": "f", "two": "f", "three": "g", "unseen": None}
    rows = [
        {
            "dataset_id": name,
            "sample_count": 9,
            "fingerprint": fingerprint,
            "fingerprint_scope": "all" if fingerprint else None,
            "fingerprint_sample_count": 9,
        }
        for name, fingerprint in prints.items()
    ]
    tables.write("datasets", rows)
    for number, name in enumerate([*prints, None], 1):
        add_experiment(tables, number, dataset_id=name)

    assert chosen(tables, "same_data('run-1')") == [1, 2]
    assert chosen(tables, "not same_data('run-1')") == [3]
    assert chosen(tables, "same_data('run-4') or not same_data('run-4')") == []


def _checkpoint(tables: ParquetTables, number: int, weights: dict[str, str]) -> None:
    row = {
        "experiment_id": experiment_id(number),
        "kind": "end",
        "variable_paths": list(weights),
        "variable_ids": list(weights.values()),
    }
    tables.write("checkpoints", [row])


@pytest.fixture
def trained(tables: ParquetTables) -> ParquetTables:
    """Runs of which some have weights of the first."""
    shapes = {"kernel": [3, 3], "other": [3, 3], "zeros": [3], "moment": [3, 3], "one": [1, 1]}
    rows = [{"variable_id": name, "shape": shape} for name, shape in shapes.items()]
    tables.write("variables", [*rows, {"variable_id": "new", "shape": [2, 2]}])
    for number in range(1, 8):
        add_experiment(tables, number)
    first = {"body/kernel": "kernel", "head/kernel": "other", "head/bias": "zeros"}
    _checkpoint(tables, 1, {**first, "optimizer/body/m": "moment", "scale/w": "one"})
    _checkpoint(tables, 2, {"body/kernel": "kernel", "head/kernel": "new"})
    _checkpoint(tables, 3, {"body/kernel": "new", "head/kernel": "other"})
    _checkpoint(tables, 4, {"body/kernel": "new", "head/bias": "zeros", "scale/w": "one"})
    _checkpoint(tables, 5, {"optimizer/body/m": "moment"})
    _checkpoint(tables, 6, {"body/kernel": "new"})
    _checkpoint(tables, 6, {"elsewhere/kernel": "kernel"})
    return tables


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("shares_weights('run-1')", [2, 3, 6]),
        ("shares_weights('run-1', 'body')", [2, 6]),
        ("shares_weights('run-1', 'head')", [3]),
        ("not shares_weights('run-1')", [1, 4, 5, 7]),
        ("shares_weights('run-2')", [1, 3, 4, 6]),
        ("shares_weights('run-7')", []),
    ],
)
def test_shared_weights(trained: ParquetTables, where: str, expected: list[int]) -> None:
    assert chosen(trained, where) == expected


def test_an_unknown_layer(trained: ParquetTables) -> None:
    with pytest.raises(UnknownQueryNameError, match="Did you mean body"):
        chosen(trained, "shares_weights('run-1', 'bdy')")


@pytest.mark.parametrize(
    "where",
    [
        "differs('run-1')",
        "differs('run-1', 'optimizer')",
        "differs('run-1', only=1)",
        "differs('run-1', but='optimizer')",
        "same_data('run-1', 'run-2')",
        "same_data()",
        "same_data(1)",
        "shares_weights('run-1', only='x')",
    ],
)
def test_relations_that_are_not_used_so(variants: ParquetTables, where: str) -> None:
    with pytest.raises(QueryError, match="Write "):
        chosen(variants, where)
