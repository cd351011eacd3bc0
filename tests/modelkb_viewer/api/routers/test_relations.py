from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from modelkb_viewer.tokens import Scope
from small_experiment import record_complete_experiment


def test_what_came_out_of_an_experiment(
    ask: TestClient, ask_as: Any, store: Path, experiment_id: str
) -> None:
    child = record_complete_experiment(
        store, "faces", 2, parent_experiment_id=experiment_id
    ).experiment.experiment_id
    path = f"/experiments/{experiment_id}/lineage"
    found = ask.get(path).json()
    assert found["trained_further"] == [[experiment_id, child]]
    assert [(each["experiment_id"], each["generation"]) for each in found["relatives"]] == [
        (experiment_id, 0),
        (child, 1),
    ]
    hidden = ask_as(Scope.READ, "digits").get(path).json()
    assert [each["name"] for each in hidden["relatives"]] == ["run-1"]


def test_what_does_an_experiment_again_is_compared(
    ask: TestClient, ask_as: Any, store: Path, experiment_id: str
) -> None:
    path = f"/experiments/{experiment_id}/reproductions"
    assert ask.get(path).json() == []
    record_complete_experiment(store, "digits", 2, reproduces_experiment_id=experiment_id)
    (found,) = ask.get(path).json()
    assert found["verdict"] == "identical"
    record_complete_experiment(store, "faces", 3, reproduces_experiment_id=experiment_id)
    assert len(ask.get(path).json()) == 2
    assert len(ask_as(Scope.READ, "digits").get(path).json()) == 1
