from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from modelkb_viewer.routes.foreign_requests import (
    ALLOWED_HOSTS_VARIABLE,
    ForeignRequests,
    allow_hosts,
)


async def answer(request: Request) -> Response:
    return PlainTextResponse("answered")


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def asking(address: str = "127.0.0.1") -> TestClient:
    app = Starlette(
        routes=[
            Route("/", answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
            WebSocketRoute("/socket", greet),
        ],
        middleware=[Middleware(ForeignRequests, address=lambda: address)],
    )
    return TestClient(app, base_url="http://127.0.0.1:8501")


OWN = ["localhost", "localhost:8501", "LOCALHOST", "127.0.0.1:8501", "127.0.0.2", "[::1]:8501"]
OTHERS = [
    *("evil.example", "evil.example:8501", "localhost.evil.example", "127.0.0.1.evil.example"),
    *("192.168.1.5:8501", "0.0.0.0", "", ":8501", "localhost@evil.example", "[::1"),
    *("evil\\localhost", "localhost:80@evil.example"),
]  # fmt: skip


@pytest.mark.parametrize("host", OWN)
def test_this_machine_is_asked_by_its_own_names(host: str) -> None:
    assert asking().get("/", headers={"Host": host}).text == "answered"


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_are_refused(host: str) -> None:
    refused = asking().get("/", headers={"Host": host})

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 403
    assert "`--allow-host NAME`" in refused.json()["detail"]
    seen = asking().get("/", headers={"Host": host, "Accept": "text/html"})
    assert seen.status_code == 403
    assert seen.text == refused.json()["detail"]
    with (
        pytest.raises(WebSocketDisconnect),
        asking().websocket_connect("/socket", headers={"Host": host}),
    ):
        pass


def test_names_can_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED_HOSTS_VARIABLE, "lab.example , ")
    allow_hosts(["Hub.Example"])

    for host in ("lab.example", "hub.example:443", "HUB.example."):
        assert asking().get("/", headers={"Host": host}).status_code == 200, host
    for host in ("x.lab.example", "lab.example.evil", ""):
        assert asking().get("/", headers={"Host": host}).status_code == 403, host


def test_a_server_for_others_has_any_name() -> None:
    client = asking("0.0.0.0")

    assert client.get("/", headers={"Host": "gpu.lab.example"}).status_code == 200
    assert client.post("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "is_answered"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://hub.example"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8501"}, False),
        ({"Origin": "http://127.0.0.1:8501"}, True),
        ({"Origin": "http://127.0.0.1:3000"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://hub.example"}, True),
    ],
)
def test_pages_of_other_sites_write_nothing(
    headers: dict[str, str], is_answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALLOWED_HOSTS_VARIABLE, "hub.example")

    client = asking()

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answered = client.request(method, "/", headers=headers)
        assert answered.status_code == (200 if is_answered else 403), method


def test_reading_is_left_to_the_browser() -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

    for method in ("GET", "HEAD", "OPTIONS"):
        answered = asking().request(method, "/", headers=headers)
        assert answered.status_code == 200
        # Without this one no page of another site sees the answer.
        assert "access-control-allow-origin" not in answered.headers
