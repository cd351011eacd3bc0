from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modelkb_store import Store
from modelkb_store.upkeep.checking import check
from modelkb_viewer.api import hand_recording
from modelkb_viewer.tokens import Scope

NEW = {
    "project": "by hand",
    "name": "first",
    "owner": "grace",
    "tags": ["julia"],
    "notes": "Flux.jl",
    "hyperparameters": {"rate": 0.1, "layers": [8, 8], "optimizer": "adam", "none": None},
    "epochs_planned": 3,
    "seed": 7,
    "started_at": "2026-01-02T04:04:05.5+01:00",
}


def begun(ask: TestClient, **changes: Any) -> str:
    answer = ask.post("/experiments", json={**NEW, **changes})
    assert answer.status_code == 201, answer.text
    document = answer.json()
    assert answer.headers["Location"] == f"experiments/{document['experiment_id']}"
    return str(document["experiment_id"])


def points(epochs: range, metric: str = "loss", **fields: Any) -> dict[str, Any]:
    values = [{"metric": metric, "epoch": epoch, "value": 1 / (epoch + 1)} for epoch in epochs]
    return {"points": [{**value, **fields} for value in values]}


def test_what_is_told_is_recorded(ask: TestClient, store: Path) -> None:
    run = begun(ask)
    assert run.startswith("20260102-030405500-")
    found = Store(store).experiment(run)
    assert (found.project, found.record.status) == ("by hand", "running")
    added = ask.post(f"/experiments/{run}/metrics", json=points(range(3), split="validation"))
    assert added.json() == {"added": 3, "known": 0}
    assert found.metrics()["value"].tolist() == [1, 1 / 2, 1 / 3]
    told = {"status": "failed", "ended_at": "2026-01-02T03:05:05.5Z"}
    document = ask.post(f"/experiments/{run}/end", json=told).json()
    assert document["status"] == "failed"
    assert document["duration_seconds"] == 60
    record = Store(store).experiment(run).record
    assert (record.name, record.owner, record.tags, record.notes) == (
        *("first", "grace", ("julia",), "Flux.jl"),
    )
    assert (record.seed, record.epochs_planned, record.epochs_completed) == (7, 3, 3)
    assert found.hyperparameters() == NEW["hyperparameters"]
    rows = Store(store).experiments("by hand")
    assert rows["metrics.val_loss"].tolist() == [1 / 3]
    assert rows["params.rate"].tolist() == [0.1]
    assert not check(Store(store).files)
    assert list((store / "log").rglob("*.jsonl")) == []


def test_little_is_enough(ask: TestClient) -> None:
    document = ask.post("/experiments", json={"project": "digits"}).json()
    assert document["name"] == f"run-{document['experiment_id'][-10:]}"
    assert document["owner"]
    ended = ask.post(f"/experiments/{document['experiment_id']}/end", json={}).json()
    assert ended["status"] == "finished"


def test_the_owner_is_called_as_the_token(ask_as: Any) -> None:
    ask = ask_as(Scope.WRITE)
    assert ask.post("/experiments", json={"project": "digits"}).json()["owner"] == "write"


def fall_silent(store: Path, seconds: float) -> None:
    for log in (store / "log").rglob("*.jsonl"):
        os.utime(log, (time.time() - seconds,) * 2)


def test_it_may_be_silent_for_a_week(ask: TestClient, store: Path) -> None:
    run, days = begun(ask), 86_400
    for silence in (300, 6.9 * days):
        fall_silent(store, silence)
        assert ask.get(f"/experiments/{run}").json()["status"] == "running"
        epoch = int(silence > days)
        added = ask.post(f"/experiments/{run}/metrics", json=points(range(epoch, epoch + 1)))
        assert added.json()["added"] == 1
    fall_silent(store, 7.1 * days)
    assert ask.get(f"/experiments/{run}").json()["status"] == "interrupted"
    assert ask.post(f"/experiments/{run}/metrics", json=points(range(9, 10))).status_code == 409
    Store(store)  # which finishes what was left
    assert Store(store).experiment(run).record.status == "interrupted"
    assert not list((store / "log").rglob("*.jsonl"))


def test_a_request_that_is_sent_again_adds_nothing(ask: TestClient, store: Path) -> None:
    run = begun(ask)
    path = f"/experiments/{run}/metrics"
    assert ask.post(path, json=points(range(2))).json() == {"added": 2, "known": 0}
    assert ask.post(path, json=points(range(3))).json() == {"added": 1, "known": 2}
    twice = {"points": points(range(4, 5))["points"] * 2}
    assert ask.post(path, json=twice).json() == {"added": 1, "known": 1}
    assert ask.post(path, json=points(range(2), split="test")).json() == {"added": 2, "known": 0}
    assert len(Store(store).experiment(run).metrics()) == 6


def test_a_value_that_is_no_number(ask: TestClient) -> None:
    run = begun(ask)
    nan = {"points": [{"metric": "loss", "epoch": 0, "value": None}]}
    assert ask.post(f"/experiments/{run}/metrics", json=nan).json()["added"] == 1
    assert ask.get(f"/experiments/{run}/metrics").json()[0]["value"] is None


def test_it_goes_on_after_the_server_was_down(ask: TestClient, store: Path) -> None:
    run = begun(ask)
    ask.post(f"/experiments/{run}/metrics", json=points(range(2)))
    # Whoever opens a store finishes what is over; this is not.
    assert Store(store).experiment(run).record.status == "running"
    ask.post(f"/experiments/{run}/metrics", json=points(range(2, 4)))
    ask.post(f"/experiments/{run}/end", json={})
    assert Store(store).experiment(run).metrics()["epoch"].tolist() == [0, 1, 2, 3]


def test_a_long_one_is_put_into_tables_bit_by_bit(
    ask: TestClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_recording, "_FULL_SEGMENT_BYTES", 2_000)
    run = begun(ask)
    for epoch in range(20):
        added = ask.post(f"/experiments/{run}/metrics", json=points(range(epoch, epoch + 1)))
        assert added.json() == {"added": 1, "known": 0}
        assert len(Store(store).experiment(run).metrics()) == epoch + 1
    assert len(list((store / "metrics" / "project=by%20hand").glob("*.parquet"))) > 1
    ask.post(f"/experiments/{run}/end", json={})
    found = Store(store).experiment(run)
    assert found.metrics()["epoch"].sort_values().tolist() == list(range(20))
    assert found.record.epochs_completed == 20
    assert found.hyperparameters() == NEW["hyperparameters"]
    assert not check(Store(store).files)


def test_tags_and_notes_that_others_give_meanwhile_stay(ask: TestClient, store: Path) -> None:
    run = begun(ask)
    ask.patch(f"/experiments/{run}", json={"tags": ["julia", "best"], "notes": "Flux.jl\nfast"})
    ask.post(f"/experiments/{run}/metrics", json=points(range(1)))
    ask.post(f"/experiments/{run}/end", json={})
    record = Store(store).experiment(run).record
    assert (record.tags, record.notes) == (("julia", "best"), "Flux.jl\nfast")


def test_what_has_ended_or_is_recorded_by_a_training_is_left_alone(
    ask: TestClient, experiment_id: str, writer_factory: Any
) -> None:
    run = begun(ask)
    ask.post(f"/experiments/{run}/end", json={})
    trained = writer_factory().experiment.experiment_id
    for each in (run, experiment_id, trained):
        for path, body in (("metrics", points(range(1))), ("end", {})):
            answer = ask.post(f"/experiments/{each}/{path}", json=body)
            assert answer.status_code == 409, answer.text
            assert each in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"project": " "}, 400),
        ({"project": ""}, 422),
        ({"tags": ["x" * 300]}, 422),
        ({"epochs_planned": -1}, 422),
        ({"epochs_planned": "3"}, 422),
        ({"started_at": "2026-01-02T03:04:05"}, 422),
        ({"started_at": "1066-10-14T09:00:00Z"}, 422),
        ({"started_at": 1767323045}, 422),
        ({"hyperparameters": {"": 1}}, 422),
        ({"host": "lab"}, 422),
    ],
)
def test_what_cannot_be_kept_is_refused(
    ask: TestClient, store: Path, changes: dict[str, object], status: int
) -> None:
    before = len(Store(store).experiments())
    answer = ask.post("/experiments", json={**NEW, **changes})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(Store(store).experiments()) == before


def test_odd_hyperparameters_are_kept_as_text(ask: TestClient, store: Path) -> None:
    run = begun(ask, hyperparameters={"huge": 10**400, "flag": True})
    assert Store(store).experiment(run).hyperparameters() == {"huge": str(10**400), "flag": True}
    nested: Any = 1
    for _ in range(60):
        nested = [nested]
    deep = ask.post("/experiments", json={**NEW, "hyperparameters": {"deep": nested}})
    assert deep.status_code == 422
    body = '{"project": "digits", "hyperparameters": {"rate": NaN, "all": [1, -Infinity]}}'
    answer = ask.post("/experiments", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["hyperparameters"] == {"rate": "nan", "all": [1, "-inf"]}


def test_a_token_of_another_project_may_not(ask_as: Any, ask: TestClient) -> None:
    other = ask_as(Scope.WRITE, "faces")
    assert other.post("/experiments", json=NEW).status_code == 403
    run = ask_as(Scope.WRITE).post("/experiments", json=NEW).json()["experiment_id"]
    assert other.post(f"/experiments/{run}/metrics", json=points(range(1))).status_code == 404
    assert other.post(f"/experiments/{run}/end", json={}).status_code == 404
