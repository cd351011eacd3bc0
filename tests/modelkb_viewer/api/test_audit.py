from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from modelkb_store.audit_log import read_audit
from modelkb_store.files.local_files import LocalFiles
from modelkb_viewer.api.audit import opened_audit
from modelkb_viewer.tokens import Scope
from store_server import StoreServer

Ask = Callable[..., TestClient]


def entries(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_who_wrote_what_is_noted(ask_as: Ask, experiment_id: str) -> None:
    writer, admin = ask_as(Scope.WRITE), ask_as(Scope.ADMIN)
    short = experiment_id[-10:]
    assert writer.patch(f"/experiments/{short}", json={"notes": "secret words"}).status_code == 200
    (found,) = entries(admin)
    assert found["token_name"] == "write"
    assert found["token_id"] in writer.headers["Authorization"]
    assert found["address"] == "testclient"
    assert (found["method"], found["route"]) == ("PATCH", "/experiments/{experiment_id}")
    assert found["parameters"] == {"experiment_id": experiment_id, "project": "digits"}
    assert (found["status"], found["count"], found["until"]) == (200, 1, None)


def test_what_was_refused_is_noted_too(ask_as: Ask, experiment_id: str) -> None:
    reader, admin = ask_as(Scope.READ), ask_as(Scope.ADMIN)
    reader.delete(f"/experiments/{experiment_id}")
    admin.delete("/experiments/nothing")
    admin.patch(f"/experiments/{experiment_id}", json={"notes": 3})
    statuses = {(each["token_name"], each["status"]) for each in entries(admin)}
    assert statuses == {("read", 403), ("admin", 404), ("admin", 422)}


def test_reading_is_not_noted(ask_as: Ask, experiment_id: str) -> None:
    admin = ask_as(Scope.ADMIN)
    admin.get("/projects")
    admin.post("/sql", json={"query": "select 1"})
    admin.post("/tables/metrics", json={})
    admin.post("/selections", json={})
    admin.get("/tokens")
    TestClient(admin.app).patch(f"/experiments/{experiment_id}", json={})  # nobody
    assert entries(admin) == []


def test_no_secret_and_no_body_is_in_it(ask_as: Ask, experiment_id: str, store: Path) -> None:
    admin = ask_as(Scope.ADMIN)
    made = admin.post("/tokens", json={"name": "hidden name", "scope": "read"}).json()
    admin.patch(f"/experiments/{experiment_id}", json={"notes": "hidden notes"})
    admin.put(f"/logs/x/0?project={'p' * 1000}&offset=0&key=hidden", content=b"hidden bytes")
    opened_audit().flush()
    texts = b"".join(path.read_bytes() for path in (store / "audit").rglob("*.jsonl"))
    assert texts.count(b"\n") == 3
    for secret in (made["token"], admin.headers["Authorization"][7:], "hidden"):
        assert secret.encode() not in texts
    assert max(map(len, texts.splitlines())) < 1000


def test_pages_times_and_projects(ask_as: Ask, experiment_id: str) -> None:
    admin, of_digits = ask_as(Scope.ADMIN), ask_as(Scope.ADMIN, "digits")
    for number in range(5):
        admin.delete(f"/tokens/{number:010}")
    admin.patch(f"/experiments/{experiment_id}", json={"notes": "x"})
    every = entries(admin)
    assert [each["parameters"].get("token_id", "")[-1:] for each in every] == ["", *"43210"]
    assert entries(admin, offset=2, limit=2) == every[2:4]
    assert entries(admin, since=every[2]["at"]) == every[:3]
    assert entries(admin, until=every[2]["at"]) == every[3:]
    assert entries(admin, project="digits") == entries(of_digits) == every[:1]
    assert of_digits.get("/audit?project=faces").status_code == 403
    for wrong in ("limit=-1", "limit=10001", "since=x"):
        assert admin.get(f"/audit?{wrong}").status_code == 422


@pytest.mark.slow
def test_what_is_written_at_the_end_of_a_server(store: Path, experiment_id: str) -> None:

    server = StoreServer(store)
    server.start()
    where = f"{server.address}/api/v1/experiments/{experiment_id}"
    for number in range(20):
        httpx2.patch(where, json={"notes": str(number)}, trust_env=False).raise_for_status()
    server.stop()
    repeated, first = read_audit(LocalFiles(store))
    assert (first.count, repeated.count) == (1, 19)
    (path,) = (store / "audit").rglob("*.jsonl")
    assert [json.loads(line)["address"] for line in path.read_text().splitlines()] == [
        "127.0.0.1"
    ] * 2
