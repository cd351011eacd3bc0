from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modelkb_viewer.tokens import Scope
from sweep import record_sweep


@pytest.fixture
def sweep(store: Path) -> list[str]:
    """The ids of twelve runs."""
    return record_sweep(store)


def test_two_experiments_are_side_by_side(ask: TestClient, sweep: list[str]) -> None:
    named = ",".join([sweep[0], sweep[1][-10:]])
    found = ask.get("/comparison", params={"experiments": named}).json()
    assert [each["experiment_id"] for each in found["experiments"]] == sweep[:2]
    rate = next(each for each in found["hyperparameters"] if each["name"] == "learning_rate")
    assert rate == {"name": "learning_rate", "values": [0.001, 0.002], "differs": True}
    best = next(
        each
        for each in found["metrics"]
        if (each["metric"], each["summary"]) == ("val_accuracy", "best")
    )
    assert best["best"] == [sweep[0]]
    assert best["values"][0] == pytest.approx(0.95 * 0.62)
    (architecture,) = found["architectures"]
    assert architecture["is_same"] is True
    assert found["scripts"] == []
    assert {each["name"]: each["differs"] for each in found["environments"]}["seed"] is True


def test_only_what_is_asked_for_is_made(ask: TestClient, sweep: list[str]) -> None:
    parameters = {"experiments": ",".join(sweep[:3]), "parts": ["scripts", "hyperparameters"]}
    found = ask.get("/comparison", params=parameters).json()
    assert found["metrics"] == found["facts"] == []
    assert len(found["scripts"]) == 2
    assert len(found["hyperparameters"]) == 3


@pytest.mark.parametrize("named", ["{0}", "{0},{0}", "{0},", "{0},nothing", ","])
def test_less_than_two_cannot_be_compared(ask: TestClient, sweep: list[str], named: str) -> None:
    answer = ask.get("/comparison", params={"experiments": named.format(sweep[0])})
    assert answer.status_code == (404 if "nothing" in named else 400)


def test_a_token_of_one_project_compares_no_other(ask_as: Any, sweep: list[str]) -> None:
    parameters = {"experiments": ",".join(sweep[:2])}
    assert ask_as(Scope.READ, "sweep").get("/comparison", params=parameters).status_code == 200
    assert ask_as(Scope.READ, "digits").get("/comparison", params=parameters).status_code == 404


def test_what_works_best_is_said(ask: TestClient, sweep: list[str]) -> None:
    found = ask.get("/projects/sweep/what-works").json()
    assert (found["metric"], found["runs"]) == ("val_accuracy", 12)
    assert found["data"]["runs"] == 12
    assert {each["hyperparameter"] for each in found["importance"]} >= {"learning_rate"}
    assert found["headline"]
    of_loss = ask.get("/projects/sweep/what-works", params={"metric": "loss", "summary": "last"})
    assert of_loss.json()["metric"] == "loss"
    some = ask.get("/projects/sweep/what-works", params={"where": "params.optimizer = 'adam'"})
    assert some.json()["runs"] == 4
    assert some.json()["importance"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/projects/nothing/what-works", 404),
        ("/projects/sweep/what-works?metric=nothing", 400),
        ("/projects/sweep/what-works?dataset_id=nothing", 400),
        ("/projects/sweep/what-works?where=nothing", 400),
        ("/projects/sweep/what-works?summary=mean", 422),
    ],
)
def test_what_is_not_there_is_said(
    ask: TestClient, sweep: list[str], path: str, status: int
) -> None:
    assert ask.get(path).status_code == status
