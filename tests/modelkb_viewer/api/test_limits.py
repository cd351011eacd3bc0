from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from modelkb_store.files.local_files import LocalFiles
from modelkb_viewer.api.application import make_api
from modelkb_viewer.api.limits import Limits
from modelkb_viewer.api.settings import CONCURRENT_VARIABLE, REQUESTS_VARIABLE, Settings
from modelkb_viewer.tokens import Scope as TokenScope
from modelkb_viewer.tokens import Tokens

Ask = Callable[..., TestClient]
BEARER = {"Authorization": "Bearer mkb_0123456789_wrong"}


def test_a_program_that_runs_wild_is_told_when_to_come_again(
    ask: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REQUESTS_VARIABLE, "5")
    client = TestClient(make_api())
    assert [client.get("/projects").status_code for _ in range(5)] == [200] * 5
    refused = client.get("/projects")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "5 requests a minute" in refused.json()["detail"]
    # Whether the server lives can always be asked.
    assert client.get("/health").status_code == 200
    # The usual limit bothers nobody.
    assert [ask.get("/health").status_code for _ in range(300)] == [200] * 300


def test_each_token_has_its_own_number(
    ask_as: Ask, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REQUESTS_VARIABLE, "8")
    client = TestClient(make_api())
    texts = [Tokens(LocalFiles(store)).create(name, TokenScope.READ)[1] for name in "ab"]
    for text in texts:
        headers = {"Authorization": f"Bearer {text}"}
        # The first one counts for the address, as nothing is known of the token yet.
        answers = [client.get("/projects", headers=headers).status_code for _ in range(10)]
        assert answers == [200] * 9 + [429]


def guess_until_refused(client: TestClient) -> Response:
    """Send wrong tokens; a minute that ends meanwhile lets some more pass."""
    for number in range(90):
        wrong = {"Authorization": f"Bearer mkb_0123456789_{number}"}
        answer = client.get("/projects", headers=wrong)
        if answer.status_code == 429:
            return answer
        assert answer.status_code == 401
    raise AssertionError("nobody was refused")


def test_who_guesses_tokens_is_stopped(ask_as: Ask, store: Path) -> None:
    ask_as(TokenScope.READ)
    _, text = Tokens(LocalFiles(store)).create("mine", TokenScope.READ)
    mine = {"Authorization": f"Bearer {text}"}
    client = TestClient(make_api())
    assert client.get("/projects", headers=mine).status_code == 200
    for _ in range(40):  # what is not there says nothing about a token
        assert client.get("/nothing", headers=BEARER).status_code == 404
    refused = guess_until_refused(client)
    assert "Too many wrong tokens" in refused.json()["detail"]
    assert "Retry-After" in refused.headers
    # A token that was in use is not locked out by others, nor who needs none.
    assert client.get("/projects", headers=mine).status_code == 200
    assert client.get("/health").status_code == 200
    # It is worth nothing as soon as it is revoked, and then no longer known.
    Tokens(LocalFiles(store)).revoke(text.split("_")[1])
    assert client.get("/projects", headers=mine).status_code == 401
    guess_until_refused(client)
    assert client.get("/projects", headers=mine).status_code == 429


def test_no_more_at_once_than_are_set(ask: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONCURRENT_VARIABLE, "3")
    api = make_api()
    arrived, leave = threading.Semaphore(0), threading.Event()

    @api.get("/slow")
    def slow() -> str:
        arrived.release()
        leave.wait(20)
        return ""

    with TestClient(api) as client, ThreadPoolExecutor(3) as threads:
        running = [threads.submit(client.get, "/slow") for _ in range(3)]
        for _ in running:
            assert arrived.acquire(timeout=20)
        refused = client.get("/projects")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.get("/health").status_code == 200
        leave.set()
        assert [each.result().status_code for each in running] == [200] * 3
        assert client.get("/projects").status_code == 200


@pytest.mark.parametrize(
    ("path", "is_counted"),
    [
        ("/health", False),
        ("/projects/health", True),
        ("/objects/health", True),
        ("//health", True),
        ("/x/health", True),
        ("/health/", True),
        ("/healthy", True),
    ],
)
@pytest.mark.parametrize("root", ["", "/api/v1", "/lab/api/v1"])
def test_nothing_but_the_route_itself_is_free(path: str, is_counted: bool, root: str) -> None:
    limits = Limits(nothing, Settings(requests_per_minute=2))
    client = TestClient(Mount(root, app=limits) if root else limits)
    statuses = [client.get(f"http://testserver{root}{path}").status_code for _ in range(3)]
    assert statuses == ([200, 200, 429] if is_counted else [200] * 3)


@pytest.mark.parametrize(
    ("path", "is_following"),
    [
        ("/experiments/x/events", True),
        ("/experiments/a%2Fb/events", False),
        ("/projects/events", False),
        ("/events", False),
        ("/experiments/x/y/events", False),
    ],
)
@pytest.mark.parametrize("root", ["", "/lab/api/v1"])
def test_who_follows_a_run_is_counted_apart(
    monkeypatch: pytest.MonkeyPatch, path: str, is_following: bool, root: str
) -> None:
    """With no place for those who follow, the others are answered."""
    monkeypatch.setattr("modelkb_viewer.api.limits._MOST_FOLLOWERS", 0)
    limits = Limits(nothing, Settings())
    client = TestClient(Mount(root, app=limits) if root else limits)
    answer = client.get(f"http://testserver{root}{path}")
    assert answer.status_code == (503 if is_following else 200)


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with nothing."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_the_routes_that_are_counted_in_another_way_are_there(ask: TestClient) -> None:
    described = make_api().openapi()["paths"]
    assert "/health" in described
    assert "/experiments/{experiment_id}/events" in described


def test_addresses_of_one_network_are_counted_together() -> None:
    limits = Limits(nothing, Settings(requests_per_minute=2))

    def status(address: str) -> int:
        client = TestClient(limits, client=(address, 1))
        return client.get("/x").status_code

    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8::3")] == [200, 200, 429]
    assert [status("2001:db8:1::1"), status("192.0.2.1"), status("192.0.2.2")] == [200] * 3
