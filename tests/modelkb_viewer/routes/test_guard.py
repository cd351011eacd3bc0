from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from modelkb_store.layout import STORE_VARIABLE
from modelkb_viewer.routes import guard
from modelkb_viewer.routes.guard import Guard
from modelkb_viewer.routes.sign_in import cookie_name
from modelkb_viewer.tokens import Scope, Tokens
from modelkb_viewer.visitors import VISITORS

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


async def page(request: Request) -> Response:
    return PlainTextResponse("page")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for each in socket.iter_bytes():
        await socket.send_bytes(each)


def asking(base: str = "", session: str | None = None) -> TestClient:
    middleware = [Middleware(Guard, base=lambda: base, farewell=str.encode)]
    routes = [
        WebSocketRoute("/{path:path}stream", echo),
        Route("/{path:path}", page, methods=METHODS),
    ]
    client = TestClient(Starlette(routes=routes, middleware=middleware), follow_redirects=False)
    if session is not None:
        client.cookies[cookie_name()] = session
    return client


@pytest.mark.parametrize("base", ["", "/lab"])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/project", "/media/x", "/_stcore/metrics", "/_stcore/stream", "/netron/"),
        *("/healthz", "/_stcore/healthz", "/_stcore/health/", "/_stcore/health/x", "/x", ""),
        *("//_stcore/health", "/x/_stcore/health", "/sign-in/", "/sign-in/x", "/x/sign-in"),
        *("/_STCORE/health", "/_stcore/metrics;/_stcore/health", "/api/v1/health"),
    ],
)
def test_all_is_guarded(tokens: Tokens, base: str, path: str) -> None:
    tokens.create("ada", Scope.READ)
    address = f"http://testserver{base}{path}"

    for method in METHODS:
        refused = asking(base).request(method, address)
        assert refused.status_code == 401, method
        assert refused.headers["www-authenticate"].startswith("Cookie")
        assert refused.headers["cache-control"] == "no-store"
        assert refused.text != "page"
    for headers in ({"Cookie": f"{cookie_name()}=x"}, {"Accept": "text/html"}):
        assert asking(base).get(address, headers=headers).status_code in (401, 303)


@pytest.mark.parametrize("base", ["", "/lab"])
def test_health_is_told_to_all(tokens: Tokens, base: str) -> None:
    tokens.create("ada", Scope.READ)

    assert asking(base).get(f"{base}/_stcore/health").text == "page"


def test_who_has_signed_in_sees_all(tokens: Tokens) -> None:
    token, text = tokens.create("ada", Scope.READ)
    client = asking(session=VISITORS.sign_in(text))

    assert client.get("/project").text == "page"
    with client.websocket_connect("/stream") as socket:
        socket.send_bytes(b"1")
        assert socket.receive_bytes() == b"1"
    tokens.create("bob", Scope.READ)
    tokens.revoke(token.token_id)
    assert client.get("/project").status_code == 401


def test_without_tokens_all_see_all(tokens: Tokens) -> None:
    assert asking().get("/project").text == "page"
    with asking(session="x").websocket_connect("/stream") as socket:
        socket.send_bytes(b"1")
        assert socket.receive_bytes() == b"1"


@pytest.fixture
def _does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pages that do not go by themselves be cut off at once."""
    monkeypatch.setattr(guard, "_SECONDS_TO_GO", 0.0)


@pytest.mark.usefixtures("_does_not_wait")
@pytest.mark.parametrize("session", [None, "x"])
def test_a_socket_is_only_told_to_go(tokens: Tokens, session: str | None) -> None:
    tokens.create("ada", Scope.READ)

    with asking(session=session).websocket_connect("/stream", ["streamlit", "x"]) as socket:
        assert socket.accepted_subprotocol == "streamlit"
        assert socket.receive_bytes() == b"sign-in"
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_bytes()
        assert ended.value.code == 1008


@pytest.mark.usefixtures("_does_not_wait")
def test_an_open_page_ends_with_the_token(tokens: Tokens) -> None:
    token, text = tokens.create("ada", Scope.READ)
    tokens.create("bob", Scope.READ)
    with asking(session=VISITORS.sign_in(text)).websocket_connect("/stream") as socket:
        socket.send_bytes(b"1")
        assert socket.receive_bytes() == b"1"

        tokens.revoke(token.token_id)
        socket.send_bytes(b"2")

        assert socket.receive_bytes() == b"sign-in"
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_bytes()
        assert ended.value.code == 1008


@pytest.mark.usefixtures("_does_not_wait")
def test_a_page_that_signs_out_shows_nothing_more(tokens: Tokens) -> None:
    _, text = tokens.create("ada", Scope.READ)
    session = VISITORS.sign_in(text)

    async def sign_out(socket: WebSocket) -> None:
        await socket.accept()
        async for each in socket.iter_bytes():
            VISITORS.sign_out(session)
            await socket.send_bytes(each)
            await socket.send_bytes(each)

    middleware = [Middleware(Guard, base=str, farewell=str.encode)]
    app = Starlette(routes=[WebSocketRoute("/stream", sign_out)], middleware=middleware)
    client = TestClient(app, cookies={cookie_name(): session})
    with client.websocket_connect("/stream") as socket:
        socket.send_bytes(b"1")
        assert socket.receive_bytes() == b"sign-in"

        socket.send_bytes(b"2")

        with pytest.raises(WebSocketDisconnect):
            socket.receive_bytes()


def test_who_cannot_be_known_is_not_let_in(tokens: Tokens, store: Path) -> None:
    token, text = tokens.create("ada", Scope.READ)
    client = asking(session=VISITORS.sign_in(text))
    with client.websocket_connect("/stream") as socket:
        (store / "tokens" / f"{token.token_id}.json").write_text("{")

        socket.send_bytes(b"1")

        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_bytes()
        # The page tries again; it is not signed out.
        assert ended.value.code == 1013
    assert client.get("/project").status_code == 503
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/stream"):
        pass


def test_a_store_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "ftp://lab/modelkb")

    answer = asking().get("/project")

    assert answer.status_code == 503
    assert "ftp://lab/modelkb" in answer.text
    assert asking().get("/_stcore/health").status_code == 200
