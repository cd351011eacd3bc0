from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from modelkb_store import Store
from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.api.application import make_api
from modelkb_viewer.api.description import operations_of, scopes_of
from modelkb_viewer.tokens import TOKEN_REQUIRED_VARIABLE, Scope, Tokens
from small_experiment import record_complete_experiment

# Every operation, by the scope that it needs. Nothing of an experiment is in the open ones.
OPEN = {("GET", "/health")}
DOCUMENTATION = {
    "/docs",
    "/docs/oauth2-redirect",
    "/openapi.json",
    "/redoc",
    "/static-offline-docs",
}
READING = {
    ("GET", "/comparison"),
    ("GET", "/deleted-experiments"),
    ("GET", "/experiments"),
    ("POST", "/selections/rows"),
    ("POST", "/selections"),
    ("POST", "/selections/ids"),
    ("GET", "/experiments/{experiment_id}"),
    ("GET", "/experiments/{experiment_id}/architecture"),
    ("GET", "/experiments/{experiment_id}/artifacts"),
    ("GET", "/experiments/{experiment_id}/artifacts/{sha256}"),
    ("GET", "/experiments/{experiment_id}/batch-metrics"),
    ("GET", "/experiments/{experiment_id}/checkpoints"),
    ("GET", "/experiments/{experiment_id}/checkpoints/{checkpoint}/model"),
    ("GET", "/experiments/{experiment_id}/checkpoints/{checkpoint}/weights"),
    ("GET", "/experiments/{experiment_id}/code"),
    ("GET", "/experiments/{experiment_id}/confusion-matrix"),
    ("GET", "/experiments/{experiment_id}/datasets/{split}"),
    ("GET", "/experiments/{experiment_id}/environment"),
    ("GET", "/experiments/{experiment_id}/epochs"),
    ("GET", "/experiments/{experiment_id}/evaluations"),
    ("GET", "/experiments/{experiment_id}/events"),
    ("GET", "/experiments/{experiment_id}/hyperparameters"),
    ("GET", "/experiments/{experiment_id}/implementation"),
    ("GET", "/experiments/{experiment_id}/layers"),
    ("GET", "/experiments/{experiment_id}/lineage"),
    ("GET", "/experiments/{experiment_id}/metrics"),
    ("GET", "/experiments/{experiment_id}/model"),
    ("GET", "/experiments/{experiment_id}/model/code/{target}"),
    ("GET", "/experiments/{experiment_id}/predictions"),
    ("POST", "/experiments/{experiment_id}/predictions"),
    ("GET", "/experiments/{experiment_id}/reproductions"),
    ("GET", "/experiments/{experiment_id}/resources"),
    ("GET", "/experiments/{experiment_id}/script"),
    ("GET", "/experiments/{experiment_id}/tables/{table}"),
    ("GET", "/objects/{path}"),
    ("HEAD", "/objects/{path}"),
    ("GET", "/projects"),
    ("GET", "/projects/{project}"),
    ("GET", "/projects/{project}/what-works"),
    ("GET", "/prometheus"),
    ("POST", "/sql"),
    ("POST", "/tables/{table}"),
}
WRITING = {
    ("POST", "/experiments"),
    ("PATCH", "/experiments/{experiment_id}"),
    ("DELETE", "/experiments/{experiment_id}"),
    ("POST", "/experiments/{experiment_id}/end"),
    ("POST", "/experiments/{experiment_id}/metrics"),
    ("POST", "/experiments/{experiment_id}/restore"),
    ("POST", "/imports/shown"),
    ("PUT", "/imports/{table}/rows"),
    ("PUT", "/imports/{table}/shared"),
    ("POST", "/logs/{log_id}/end"),
    ("PUT", "/logs/{log_id}/{number}"),
    ("POST", "/logs/{log_id}/{number}/seal"),
    ("PUT", "/objects/{path}"),
}
GOVERNING = {
    ("GET", "/audit"),
    ("GET", "/tokens"),
    ("POST", "/tokens"),
    ("DELETE", "/tokens/{token_id}"),
}
NEEDED = {
    **dict.fromkeys(READING, Scope.READ),
    **dict.fromkeys(WRITING, Scope.WRITE),
    **dict.fromkeys(GOVERNING, Scope.ADMIN),
}
# What makes a request good enough that only its token can be wrong.
BODIES: dict[str, Any] = {
    "/experiments": {"project": "digits"},
    "/experiments/{experiment_id}": {"notes": "x"},
    "/experiments/{experiment_id}/end": {},
    "/experiments/{experiment_id}/metrics": {"points": []},
    "/selections/rows": {"experiment_ids": []},
    "/selections": {},
    "/selections/ids": {},
    "/imports/shown": [],
    "/logs/{log_id}/end": {"sizes": {}},
    "/logs/{log_id}/{number}/seal": {"size": 0},
    "/sql": {"query": "select 1"},
    "/tables/{table}": {},
    "/tokens": {"name": "x", "scope": "read"},
}
QUERIES = {
    "/comparison": {"experiments": "run-1,run-2"},
    "/imports/{table}/rows": {"project": "digits"},
    "/imports/{table}/shared": {"project": "digits"},
    "/logs/{log_id}/end": {"project": "digits"},
    "/logs/{log_id}/{number}": {"project": "digits", "offset": 0},
    "/logs/{log_id}/{number}/seal": {"project": "digits"},
}


class Asking:
    """Asks a store with tokens, with each of them or with none."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.experiment_id = record_complete_experiment(store).experiment.experiment_id
        tokens = Tokens(Store(store).files)
        self._texts = {scope: tokens.create(scope.value, scope)[1] for scope in Scope}
        self._app = make_api()
        self._asked = 0

    def status(self, method: str, path: str, token: Scope | str | None) -> int:
        """Return the status of the answer to a request that is otherwise good."""
        filled = path.format(
            experiment_id=self.experiment_id,
            project="digits",
            table="metrics",
            split="train",
            checkpoint="end",
            sha256="0" * 64,
            token_id="0" * 10,
            log_id="20260102-030405678-00000000ff",
            number=0,
            path="files/00/nothing",
            target="keras",
        )
        headers = {}
        if token is not None:
            text = self._texts[token] if isinstance(token, Scope) else token
            headers["Authorization"] = f"Bearer {text}"
        body = BODIES.get(path) if method in ("POST", "PATCH") else None
        # Each from an address of its own: many wrong tokens from one are refused otherwise.
        self._asked += 1
        address = f"10.0.{self._asked // 250}.{self._asked % 250}"
        client = TestClient(self._app, raise_server_exceptions=False, client=(address, 50_000))
        answer = client.request(
            method, filled, params=QUERIES.get(path), json=body, headers=headers
        )
        return answer.status_code


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    return Asking(tmp_path_factory.mktemp("tokens") / "modelkb")


@pytest.fixture(autouse=True)
def _served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "asking" in request.fixturenames:
        asking = request.getfixturevalue("asking")
        monkeypatch.setenv(STORE_VARIABLE, str(asking.store))


def test_no_operation_is_forgotten(ask: TestClient) -> None:
    app = make_api()
    known = {(method.upper(), path) for (path, method), _ in scopes_of(app)}
    documented = {("GET", path) for path in DOCUMENTATION}
    assert known - documented == OPEN | set(NEEDED)
    routes = {route.path for route in app.routes if isinstance(route, (Route, Mount))}
    assert routes <= {path for _, path in OPEN | set(NEEDED)} | DOCUMENTATION


def test_the_description_says_what_each_operation_needs(ask: TestClient) -> None:
    described = {
        (method.upper(), path): operation
        for path, method, operation in operations_of(make_api().openapi())
    }
    hidden = {("HEAD", "/objects/{path}")}
    assert set(described) == OPEN | set(NEEDED) - hidden
    for key, operation in described.items():
        needed = NEEDED.get(key)
        assert operation.get("x-scope") == (None if needed is None else needed.value), key


def test_the_description_asks_for_a_token_where_the_server_does(
    ask: TestClient, store: Path
) -> None:
    def security() -> list[dict[str, list[str]]]:
        found: list[dict[str, list[str]]] = ask.get("/openapi.json").json()["paths"]["/sql"][
            "post"
        ]["security"]
        return found

    assert security() == [{"token": ["read"]}]  # until the store is opened, which takes a while
    assert ask.get("/projects").status_code == 200
    assert security() == [{"token": ["read"]}, {}]
    Tokens(Store(store).files).create("laptop", Scope.READ)
    assert security() == [{"token": ["read"]}]


@pytest.mark.parametrize(("method", "path"), sorted(NEEDED))
def test_every_operation_needs_its_scope(asking: Asking, method: str, path: str) -> None:
    needed = NEEDED[method, path]
    assert asking.status(method, path, None) == 401
    assert asking.status(method, path, "mkb_nothing") == 401
    for scope in Scope:
        status = asking.status(method, path, scope)
        if scope.includes(needed):
            assert status not in (401, 403), scope
            assert status < 500
        else:
            assert status == 403, scope


def test_without_tokens_everybody_on_this_machine_may_do_all(
    ask: TestClient, experiment_id: str
) -> None:
    assert ask.patch(f"/experiments/{experiment_id}", json={"notes": "mine"}).status_code == 200


def test_a_server_that_others_reach_lets_nobody_in_without_tokens(
    ask: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_REQUIRED_VARIABLE, "1")
    assert ask.get("/projects").status_code == 401


def test_a_wrong_token_is_told_as_such(ask: TestClient, store: Path) -> None:
    needless = ask.get("/projects", headers={"Authorization": "Bearer mkb_nothing"})
    assert needless.status_code == 401
    assert "needs none" in needless.json()["detail"]
    Tokens(Store(store).files).create("laptop", Scope.READ)
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
    assert other.get("/projects/digits").status_code == 404
    assert other.get("/projects/digits/what-works").status_code == 403
    assert other.get(f"/experiments/{experiment_id}").status_code == 404
    assert other.post("/tables/metrics", json={}).json() == []
    assert other.post("/tables/metrics", json={"project": "digits"}).status_code == 403
