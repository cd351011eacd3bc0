from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from modelkb_viewer.api import prompt_requests
from modelkb_viewer.api.prompt_requests import PromptRequests
from viewer_server import free_port

HEAD = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(prompt_requests, "_SECONDS", 0.5)

    async def slow(request: Request) -> PlainTextResponse:
        body = await request.body()
        await asyncio.sleep(1)
        return PlainTextResponse(b"got " + body)

    app = Starlette(routes=[Route("/slow", slow, methods=["POST"])])
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, http=PromptRequests, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join()


def seconds_until_it_hangs_up(connection: socket.socket, sent: bytes = b"") -> float:
    """Send a byte now and then, and return after how long the other side has enough."""
    began = time.monotonic()
    connection.settimeout(0.1)
    for byte in [*sent, *[None] * 100]:
        try:
            if byte is not None:
                connection.sendall(bytes([byte]))
            if not connection.recv(1):
                return time.monotonic() - began
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began
    raise AssertionError("it waits for ever")


def answer(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    text = b""
    while not text.endswith(b"got ab"):
        text += connection.recv(1000)
    return text


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a-host-with-a-long-name\r\n"])
def test_a_head_that_does_not_come(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        assert seconds_until_it_hangs_up(connection, sent) < 8


def test_what_comes_after_the_head_may_take_longer(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(HEAD + b"a")
        time.sleep(1)
        connection.sendall(b"b")
        assert answer(connection).startswith(b"HTTP/1.1 200")


def test_the_next_request_of_a_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(2):  # who is silent between two requests is not late
            connection.sendall(HEAD + b"ab")
            assert answer(connection).startswith(b"HTTP/1.1 200")
            time.sleep(0.7)
        assert seconds_until_it_hangs_up(connection, HEAD[:-4] + b"\r\nX-Long: long") < 8


def test_requests_that_come_together(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall((HEAD + b"ab") * 2)
        assert answer(connection).count(b"HTTP/1.1 200") == 1
        assert answer(connection).count(b"HTTP/1.1 200") == 1
