from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_experiment import record_complete_experiment

pytest.importorskip("duckdb")

Modelkb = Callable[..., Any]


@pytest.fixture(autouse=True)
def _two_runs(store: Path) -> None:
    record_complete_experiment(store, "digits", 1)
    record_complete_experiment(store, "cats", 2, owner="grace")


def test_rows_are_a_table(modelkb: Modelkb) -> None:
    ended = modelkb(
        "sql", "select owner, count(*) as runs from experiments group by all order by 1"
    )
    assert (ended.exit_code, ended.errors) == (0, "")
    assert [line.split() for line in ended.output.splitlines() if line.strip(" ─━-")] == [
        ["owner", "runs"],
        ["ada", "1"],
        ["grace", "1"],
    ]


def test_json_has_the_values_as_they_are(modelkb: Modelkb) -> None:
    query = (
        "select e.project, max(value) as best, list(distinct m.split order by m.split) as splits, "
        "'nan'::double as nothing from metrics m join experiments e using (experiment_id) "
        "where metric = 'accuracy' group by all order by 1"
    )
    assert modelkb("sql", query, "--json").json == [
        {"project": "cats", "best": 0.75, "splits": ["train"], "nothing": None},
        {"project": "digits", "best": 0.75, "splits": ["train"], "nothing": None},
    ]


def test_no_rows(modelkb: Modelkb) -> None:
    query = "select name from experiments where owner = 'nobody'"
    assert modelkb("sql", query, "--json").json == []
    assert "name" in modelkb("sql", query).output


@pytest.mark.parametrize(
    "query",
    [
        "select nothing from experiments",
        "select * from nothing",
        "selec",
        "drop table experiments",
        "copy (select 1) to 'stolen.csv'",
        "select * from read_text('/etc/hostname')",
    ],
)
def test_what_is_wrong_or_not_allowed_is_one_line(
    query: str, modelkb: Modelkb, tmp_path: Path
) -> None:
    ended = modelkb("sql", query)
    assert ended.exit_code == 1
    assert ended.output == ""
    assert ended.errors.startswith("modelkb: ")
    assert "Traceback" not in ended.errors
    assert not (tmp_path / "stolen.csv").exists()


def test_a_store_that_is_not_there(modelkb: Modelkb, tmp_path: Path) -> None:
    ended = modelkb("sql", "select 1", "--store", tmp_path / "nowhere")
    assert ended.exit_code == 1
    assert "No ModelKB store" in ended.errors
