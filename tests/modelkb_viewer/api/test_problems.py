from __future__ import annotations

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/experiments/x", "GET, PATCH, DELETE"),
        ("DELETE", "/tokens", "GET, POST"),
        ("GET", "/sql", "POST"),
        ("POST", "/objects/files/ab/abab", "GET, HEAD, PUT"),
        ("OPTIONS", "/experiments/x", "GET, PATCH, DELETE"),
        ("TRACE", "/projects", "GET"),
    ],
)
def test_all_that_can_be_done_at_a_path_is_said(
    ask: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = ask.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 405
