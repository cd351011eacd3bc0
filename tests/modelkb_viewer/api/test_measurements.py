from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from modelkb_viewer.api.measurements import measurements_answer


def lines() -> list[str]:
    return bytes(measurements_answer().body).decode().splitlines()


def test_methods_that_somebody_makes_up_are_counted_as_one(ask: TestClient) -> None:
    ask.request("MADEUP", "/projects")
    before = len(lines())
    for number in range(50):
        ask.request(f"M{number}", "/projects")
        ask.request("get", "/projects")
    assert len(lines()) <= before + 2
    assert any('method="other"' in each for each in lines())
    assert not any("MADEUP" in each or '"M1"' in each for each in lines())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_known_methods_are_counted_each(ask: TestClient, method: str) -> None:
    ask.request(method, "/nothing")
    assert any(f'method="{method}"' in each for each in lines())
