from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asgi_answer import answer_of
from modelkb_viewer.server import MIDDLEWARE


def plain(request: Request) -> Response:
    return PlainTextResponse("text")


def own(request: Request) -> Response:
    return PlainTextResponse("text", headers={"Content-Security-Policy": "default-src 'none'"})


APP = Starlette(routes=[Route("/plain", plain), Route("/own", own)], middleware=MIDDLEWARE)


@pytest.mark.parametrize("path", ["/plain", "/own", "/missing"])
def test_every_answer_has_them(path: str) -> None:
    headers = answer_of(APP, path).headers

    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_the_policy_names_no_other_server() -> None:
    policy = answer_of(APP, "/plain").headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "http" not in policy
    assert "*" not in policy


def test_a_policy_of_the_answer_is_left() -> None:
    assert answer_of(APP, "/own").headers["content-security-policy"] == "default-src 'none'"
