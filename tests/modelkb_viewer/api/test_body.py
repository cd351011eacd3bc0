from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from modelkb_viewer.api import body
from modelkb_viewer.api.application import make_api
from small_experiment import record_complete_experiment
from store_server import StoreServer

JSON = {"Content-Type": "application/json"}
LARGE = 5 << 20
BINARY_ROUTES = [
    ("PUT", "/logs/x/0?project=digits&offset=0", 65 << 20),
    ("PUT", "/imports/metrics/rows?project=digits", 513 << 20),
    ("PUT", "/objects/files/ab/" + "ab" * 32, 17 << 30),
    ("POST", "/experiments/{experiment_id}/predictions", 65 << 20),
]


def json_routes() -> list[tuple[str, str]]:
    described: dict[str, Any] = make_api().openapi()["paths"]
    return [
        (method.upper(), path)
        for path, methods in described.items()
        for method, operation in methods.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
        and not path.endswith("/predictions")
    ]


def filled(path: str, experiment_id: str) -> str:
    return path.format(
        experiment_id=experiment_id, table="metrics", token_id="0" * 10, log_id="x", number=0
    )


@pytest.mark.parametrize(("method", "path"), json_routes())
def test_documents_are_bounded(ask: TestClient, experiment_id: str, method: str, path: str) -> None:
    where = filled(path, experiment_id)
    pieces = (b" " * (1 << 20) for _ in range(6))  # chunked: nobody says how long it is
    for content in (b" " * LARGE, pieces):
        answer = ask.request(method, where, content=content, headers=JSON)
        assert answer.status_code == 413, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "4,194,304 bytes" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "size"), BINARY_ROUTES)
def test_bytes_are_bounded_before_they_come(
    ask: TestClient, experiment_id: str, method: str, path: str, size: int
) -> None:
    headers = {"Content-Length": str(size)}
    answer = ask.request(method, filled(path, experiment_id), content=b"x", headers=headers)
    assert answer.status_code == 413, answer.text
    assert "bytes can be sent" in answer.json()["detail"]


def test_bytes_are_counted_as_they_come(ask: TestClient) -> None:
    pieces = (b"x" * (1 << 20) for _ in range(66))
    answer = ask.put("/logs/x/0?project=digits&offset=0", content=pieces)
    assert answer.status_code == 413


def test_a_large_object_is_no_large_document(ask: TestClient) -> None:
    """What is more than a document may have comes through where it is meant to."""
    content = b"x" * (LARGE + (60 << 20))
    name = hashlib.sha256(content).hexdigest()
    path = f"/objects/files/{name[:2]}/{name}"
    assert ask.put(path, content=content).status_code == 204
    assert len(ask.get(path).content) == len(content)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_compressed_bodies_are_refused(ask: TestClient, encoding: str) -> None:
    bomb = gzip.compress(json.dumps({"query": "select 1"}).encode() + b" " * 1000)
    headers = {**JSON, "Content-Encoding": encoding}
    answer = ask.post("/sql", content=bomb, headers=headers)
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert "not decompressed" in answer.json()["detail"]
    plain = {**JSON, "Content-Encoding": "identity"}
    assert ask.post("/sql", json={"query": "select 1"}, headers=plain).status_code == 200


def test_a_body_that_comes_too_slowly_is_not_waited_for(
    ask: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "_SILENCE_SECONDS", 0.3)
    app = make_api()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"100000")]
    scope = {
        "type": "http", "method": "POST", "path": "/sql", "raw_path": b"/sql", "root_path": "",
        "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1), "http_version": "1.1",
        "scheme": "http", "server": ("192.0.2.2", 80),
    }  # fmt: skip

    def answered(pause: float) -> tuple[int, dict[bytes, bytes]]:
        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(pause)
            return {"type": "http.request", "body": b" ", "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        began = time.monotonic()
        asyncio.run(app(dict(scope), receive, send))
        assert time.monotonic() - began < 20
        return sent[0]["status"], dict(sent[0]["headers"])

    # One that says nothing, and one that says something all the time, but hardly anything.
    for pause in (60.0, 0.02):
        status, answer_headers = answered(pause)
        assert status == 408
        assert answer_headers[b"connection"] == b"close"


@pytest.mark.slow
def test_a_server_bounds_lines_and_headers(store: Path) -> None:
    record_complete_experiment(store)
    server = StoreServer(store)
    server.start()
    host, port = server.address.removeprefix("http://").split(":")

    def first_line(request: bytes) -> bytes:
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
            try:
                return connection.recv(1000).partition(b"\r\n")[0]
            except ConnectionError:
                return b"closed"

    try:
        long = b"x" * (300 << 10)
        for request in (
            b"GET /api/v1/" + long + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + long + b"\r\n\r\n",
            b"GET /api/v1/health HTTP/1.1\r\n" + b"X: y\r\n" * 60_000 + b"\r\n",
        ):
            line = first_line(request)
            assert b" 4" in line or line in (b"closed", b""), line
        assert b"200" in first_line(b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    finally:
        server.stop()
