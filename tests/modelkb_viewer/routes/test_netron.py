from __future__ import annotations

import re
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from starlette.applications import Starlette

from asgi_answer import answer_of
from modelkb_viewer.routes.netron import netron_address, netron_route

APP = Starlette(routes=[netron_route()])


@pytest.mark.parametrize("path", ["/netron/", "/netron/index.html", "/lab/kb/netron/"])
def test_the_page_asks_nobody(path: str) -> None:
    answer = answer_of(APP, path)

    assert answer.status == 200
    assert re.findall(r'<meta name="version" content="([^"]*)">', answer.text) == ["0.0.0"]
    assert 'name="date"' not in answer.text
    # Without a path it is for this folder, wherever a proxy has put it.
    assert answer.headers["set-cookie"] == "consent=1; SameSite=strict"


def test_the_page_leads_nowhere() -> None:
    page = answer_of(APP, "/netron/").text

    assert 'id="logo-github" class="center logo-github" href="#"' in page
    assert re.findall(r'(?:href|src)="[a-z]+://[^"]*"', page) == []


def test_the_page_takes_no_focus_from_the_one_around_it() -> None:
    page = answer_of(APP, "/netron/").text

    scripts = re.findall(r'<script[^>]*src="([^"]*)"', page)
    assert scripts == ["keep-focus.js", "index.js"]
    answer = answer_of(APP, "/netron/keep-focus.js")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("view.js", "text/javascript; charset=utf-8"),
        ("keras-metadata.json", "application/json"),
        ("grapher.css", "text/css; charset=utf-8"),
        ("icon.png", "image/png"),
        ("favicon.ico", "image/x-icon"),
    ],
)
def test_what_the_page_loads(name: str, kind: str) -> None:
    answer = answer_of(APP, f"/netron/{name}")

    assert answer.status == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"]
    assert len(answer.body) == int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "name",
    [
        "server.py",
        "__init__.py",
        "../view.js",
        "../streamlit/__init__.py",
        "../../../../../../etc/passwd",
        "/etc/hosts.js",
        "..\\view.js",
        "view.js\0",
        "\0",
        "__pycache__",
        "view.js/",
        "none.js",
        "x" * 5000 + ".js",
    ],
)
def test_nothing_else_is_answered(name: str) -> None:
    answer = answer_of(APP, f"/netron/{name}")

    assert answer.status == 404
    assert answer.text == "There is no such file."


@pytest.mark.parametrize("path", ["/netron/", "/netron/view.js", "/netron/server.py"])
def test_every_answer_has_the_policy(path: str) -> None:
    policy = answer_of(APP, path).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "http" not in policy


def test_it_is_only_read() -> None:
    head = answer_of(APP, "/netron/view.js", "HEAD")

    assert (head.status, head.body) == (200, b"")
    for method in ("POST", "PUT", "DELETE"):
        assert answer_of(APP, "/netron/view.js", method).status == 405


def test_an_address_names_the_file_and_its_format() -> None:
    address = netron_address("architectures/a1.h5", "a & b?.h5")

    query = parse_qs(urlsplit(address).query)
    assert query["identifier"] == ["a & b?.h5"]
    # The page looks for it from where it is, below any base path.
    page = f"http://lab/kb{urlsplit(address).path}"
    assert urljoin(page, query["url"][0]) == "http://lab/kb/architectures/a1.h5"
