from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.routes.api_beside import ApiBeside
from modelkb_viewer.routes.architectures import architecture_route
from modelkb_viewer.tokens import Scope, Tokens
from small_experiment import record_complete_experiment
from store_server import StoreServer


async def page(request: Request) -> Response:
    return PlainTextResponse("page")


def asking(base: str) -> TestClient:
    routes = [architecture_route(), Route("/{path:path}", page)]
    middleware = [Middleware(ApiBeside, base=lambda: base)]
    return TestClient(Starlette(routes=routes, middleware=middleware))


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("base", ["", "/lab/kb"])
def test_the_api_is_below_its_path(base: str) -> None:
    client = asking(base)

    assert client.get(f"{base}/api/v1/health").json()["status"] == "ok"
    assert client.get(f"{base}/api/v1/projects").status_code == 200
    for path in ("", "/api", "/api/v1", "/api/v2/health", "/x/api/v1/health"):
        assert client.get(f"{base}{path}").text == "page", path


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("base", ["", "/lab/kb"])
def test_its_documentation_knows_where_it_is(base: str) -> None:
    client = asking(base)

    docs = client.get(f"{base}/api/v1/docs").text

    assert f"{base}/api/v1/openapi.json" in docs
    assert f"{base}/api/v1/static-offline-docs/swagger-ui-bundle.js" in docs
    assert client.get(f"{base}/api/v1/static-offline-docs/swagger-ui.css").status_code == 200


def test_it_asks_for_tokens_itself(tokens: Tokens) -> None:
    _, text = tokens.create("ada", Scope.READ)
    client = asking("")

    assert client.get("/api/v1/projects").status_code == 401
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/projects", headers=headers).status_code == 200


def test_other_routes_are_not_reached_through_it(tokens: Tokens) -> None:
    answer = asking("").get(f"/api/v1/architectures/{'a1' * 16}.h5")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.slow
def test_the_pages_do_not_wait_for_it() -> None:
    code = (
        "import sys, modelkb_viewer.server\n"
        "print(sorted({'fastapi', 'pydantic', 'duckdb'} & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "[]\n"


@pytest.mark.slow
def test_a_store_on_a_server_is_shown_too(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record_complete_experiment(store).experiment.experiment_id
    server = StoreServer(store)
    server.start()
    monkeypatch.setenv(STORE_VARIABLE, server.address)
    try:
        client = asking("")
        assert client.get(f"/api/v1/experiments/{run}").json()["experiment_id"] == run
        assert client.get("/api/v1/openapi.json").status_code == 200
        refused = client.get("/api/v1/tokens")
        assert refused.status_code == 501
        assert "server" in refused.json()["detail"]
    finally:
        server.kill()
