from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from modelkb_viewer.api.application import make_api
from modelkb_viewer.api.authentication import TOKEN_REQUIRED_VARIABLE
from modelkb_viewer.tokens import Scope

# By path and method; all others need to read.
WRITING = {
    ("PATCH", "/experiments/{experiment_id}"),
    ("DELETE", "/experiments/{experiment_id}"),
    ("POST", "/experiments/{experiment_id}/restore"),
}
BODIES = {
    "/experiments/{experiment_id}": {"notes": "x"},
    "/sql": {"query": "select 1"},
    "/tables/{table}": {},
    "/tokens": {"name": "x", "scope": "read"},
}


def operations() -> list[tuple[str, str]]:
    """Every operation that needs a token where there are some, as the description has them."""
    described: dict[str, Any] = make_api().openapi()["paths"]
    return [
        (method.upper(), path)
        for path, methods in described.items()
        for method in methods
        if path != "/health"
    ]


def needed(method: str, path: str) -> Scope:
    if path.startswith(("/tokens", "/audit")):
        return Scope.ADMIN
    return Scope.WRITE if (method, path) in WRITING else Scope.READ


def request(client: TestClient, method: str, path: str, experiment_id: str) -> Any:
    filled = path.format(
        experiment_id=experiment_id,
        project="digits",
        table="metrics",
        split="train",
        checkpoint="end",
        sha256="0" * 64,
        token_id="0" * 10,
    )
    body = BODIES.get(path) if method in ("POST", "PATCH") else None
    return client.request(method, filled, json=body)


@pytest.mark.parametrize(("method", "path"), operations())
def test_every_operation_needs_its_scope(
    ask: TestClient, ask_as: Any, experiment_id: str, method: str, path: str
) -> None:
    reader = ask_as(Scope.READ)
    assert request(ask, method, path, experiment_id).status_code == 401
    if needed(method, path) is not Scope.READ:
        assert request(reader, method, path, experiment_id).status_code == 403
    if needed(method, path) is Scope.ADMIN:
        assert request(ask_as(Scope.WRITE), method, path, experiment_id).status_code == 403
    enough = request(ask_as(needed(method, path)), method, path, experiment_id)
    assert enough.status_code not in (401, 403)
    assert enough.status_code < 500


def test_without_tokens_everybody_on_this_machine_may_do_all(
    ask: TestClient, experiment_id: str
) -> None:
    assert ask.patch(f"/experiments/{experiment_id}", json={"notes": "mine"}).status_code == 200


def test_a_server_that_others_reach_lets_nobody_in_without_tokens(
    ask: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_REQUIRED_VARIABLE, "1")
    assert ask.get("/projects").status_code == 401


def test_a_wrong_token_is_told_as_such(ask: TestClient) -> None:
    answer = ask.get("/projects", headers={"Authorization": "Bearer mkb_nothing"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "not valid" in answer.json()["detail"]


def test_a_token_of_one_project_sees_no_other(ask_as: Any, experiment_id: str) -> None:
    mine, other = ask_as(Scope.READ, "digits"), ask_as(Scope.READ, "faces")
    assert mine.get("/experiments").json()["total"] == 1
    assert mine.get(f"/experiments/{experiment_id}").status_code == 200
    assert mine.get("/experiments?project=faces").status_code == 403
    assert mine.post("/sql", json={"query": "select 1"}).status_code == 403
    assert other.get("/experiments").json()["total"] == 0
    assert other.get("/projects").json() == []
    assert other.get(f"/experiments/{experiment_id}").status_code == 404
    assert other.post("/tables/metrics", json={}).json() == []
    assert other.post("/tables/metrics", json={"project": "digits"}).status_code == 403
