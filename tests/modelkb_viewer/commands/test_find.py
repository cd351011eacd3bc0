from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_experiment import record_complete_experiment

Modelkb = Callable[..., Any]


@pytest.fixture(autouse=True)
def _three_runs(store: Path) -> None:
    record_complete_experiment(store, "digits", 1, tags=("baseline",))
    record_complete_experiment(store, "digits", 2, owner="grace")
    record_complete_experiment(store, "cats", 3, owner="grace")


def names(ended: Any) -> list[str]:
    assert (ended.exit_code, ended.errors) == (0, "")
    return [row["name"] for row in ended.json]


def test_the_runs_for_which_it_holds(modelkb: Modelkb) -> None:
    assert names(modelkb("find", "owner = 'grace'", "--json")) == ["run-2", "run-3"]
    assert names(modelkb("find", "params.learning_rate < 0.01", "--json")) == [
        "run-1",
        "run-2",
        "run-3",
    ]
    assert names(modelkb("find", "metrics.val_loss > 1", "--json")) == []
    assert names(modelkb("find", "has(Dense(units = 2))", "--json")) == ["run-1", "run-2", "run-3"]


def test_options(modelkb: Modelkb) -> None:
    every = ["find", "metrics.loss < 1", "--json"]
    assert names(modelkb(*every, "--project", "digits")) == ["run-1", "run-2"]
    assert names(modelkb(*every, "--order-by", "-started_at")) == ["run-3", "run-2", "run-1"]
    ordered = [*every, "--order-by", "owner", "--order-by", "-name"]
    assert names(modelkb(*ordered)) == ["run-1", "run-3", "run-2"]
    assert names(modelkb(*ordered, "--limit", 2)) == ["run-1", "run-3"]
    assert names(modelkb(*every, "--limit", 0)) == []


def test_a_line_for_each(modelkb: Modelkb) -> None:
    ended = modelkb("find", "owner = 'grace'")
    lines = [line for line in ended.output.splitlines() if "finished" in line]
    assert len(lines) == 2
    assert "run-2" in lines[0]
    assert "run-3" in lines[1]


def test_nothing_is_like_that(modelkb: Modelkb) -> None:
    assert modelkb("find", "owner = 'nobody'").output == "No experiment is like that.\n"


@pytest.mark.parametrize("query", ["owner =", "owner = = 'a'", "has(Dense", "nothing.at.all > 1"])
def test_a_query_that_is_wrong_says_where(query: str, modelkb: Modelkb) -> None:
    ended = modelkb("find", query)
    assert ended.exit_code == 1
    assert ended.output == ""
    assert ended.errors.startswith("modelkb: ")
    assert query in ended.errors
    assert "Traceback" not in ended.errors


def test_an_order_that_there_is_not(modelkb: Modelkb) -> None:
    ended = modelkb("find", "metrics.loss < 1", "--order-by", "nothing")
    assert ended.exit_code == 1
    assert "nothing" in ended.errors
    assert modelkb("find", "metrics.loss < 1", "--limit", -1).exit_code == 2
