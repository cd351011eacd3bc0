from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from modelkb_viewer.routes import sign_in
from modelkb_viewer.routes.guard import Guard
from modelkb_viewer.routes.sign_in import cookie_name
from modelkb_viewer.tokens import Scope, Tokens

WRONG = f"mkb_0123456789_{'a' * 43}"


async def page(request: Request) -> Response:
    return PlainTextResponse("page")


def browser(base: str = "", scheme: str = "http") -> TestClient:
    guard = Middleware(Guard, base=lambda: base, farewell=str.encode)
    app = Starlette(routes=[Route("/{path:path}", page)], middleware=[guard])
    client = TestClient(app, base_url=f"{scheme}://127.0.0.1", follow_redirects=False)
    client.headers["Accept"] = "text/html,*/*"
    return client


@pytest.fixture(autouse=True)
def _no_failures_before() -> Iterator[None]:
    sign_in._failures.storage.reset()
    yield
    sign_in._failures.storage.reset()


@pytest.fixture
def text(tokens: Tokens) -> str:
    """A token for reading."""
    return tokens.create("ada", Scope.READ)[1]


@pytest.mark.parametrize(("scheme", "is_secure"), [("http", False), ("https", True)])
def test_a_token_lets_in(text: str, scheme: str, is_secure: bool) -> None:
    client = browser(scheme=scheme)
    assert client.get("/").status_code == 303

    answer = client.post("/sign-in", data={"token": f" {text}\n"})

    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{cookie_name()}=")
    assert text not in cookie
    assert text.split("_", 2)[2] not in cookie
    settings = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "max-age=604800"} <= settings
    assert ("secure" in settings) is is_secure
    # For the folder that the page is in.
    assert not any(each.startswith(("path", "domain")) for each in settings)
    assert client.get("/").text == "page"
    assert client.get("/sign-in").headers["location"] == "./"


@pytest.mark.parametrize("base", ["", "/lab/kb"])
@pytest.mark.parametrize(
    ("asked", "sign_in_at", "shown_then"),
    [
        ("/", "./sign-in", "./"),
        ("/project?project=a%20b&sort=x", None, "./project?project=a%20b&sort=x"),
        ("/?search=x", None, "./?search=x"),
        ("/netron/?url=x", None, "./"),
        ("/netron/deep/er", None, "./"),
        ("/sign-out", None, "./"),
    ],
)
def test_it_leads_on_to_what_was_asked(
    text: str, base: str, asked: str, sign_in_at: str | None, shown_then: str
) -> None:
    client = browser(base)

    sent_on = client.get(f"{base}{asked}")
    there = sent_on.next_request
    assert there is not None

    assert there.url.path == f"{base}/sign-in"
    assert sign_in_at in (None, sent_on.headers["location"])
    answer = client.post(str(there.url), data={"token": text})
    assert answer.headers["location"] == shown_then


def test_the_root_without_a_slash(text: str) -> None:
    there = browser("/lab/kb").get("/lab/kb").next_request

    assert there is not None
    assert there.url.path == "/lab/kb/sign-in"


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "../x"),
        *("project/../x", "project\r\nX: y", "project?a=b\nc", "projects", "project#x", "?ü"),
    ],
)
def test_it_leads_nowhere_else(text: str, target: str) -> None:
    answer = browser().post("/sign-in", params={"next": target}, data={"token": text})

    assert (answer.status_code, answer.headers["location"]) == (303, "./")


@pytest.mark.usefixtures("text")
@pytest.mark.parametrize("given", [WRONG, "", "x" * 5000, "\0", "mkb_", "ü"])
def test_another_token_does_not(given: str) -> None:
    client = browser()

    answer = client.post("/sign-in", data={"token": given})

    assert answer.status_code == 403
    assert "This token is not valid. It may be mistyped, or revoked." in answer.text
    assert 'aria-invalid="true" aria-describedby="problem"' in answer.text
    assert "set-cookie" not in answer.headers
    assert client.get("/").status_code == 303


def test_only_the_form_is_taken(text: str) -> None:
    client = browser()

    for sent in (
        client.post("/sign-in", json={"token": text}),
        client.post("/sign-in", files={"token": text}),
        client.post("/sign-in", params={"token": text}),
        client.post("/sign-in", headers={"Authorization": f"Bearer {text}"}),
    ):
        assert sent.status_code == 403
    assert client.put("/sign-in", data={"token": text}).status_code == 405


def test_a_token_for_one_project_is_told_why_not(tokens: Tokens) -> None:
    _, text = tokens.create("ada", Scope.ADMIN, "<b>digits</b>")

    answer = browser().post("/sign-in", data={"token": text})

    assert answer.status_code == 403
    assert "&lt;b&gt;digits&lt;/b&gt;&#x27; alone; the pages show all projects" in answer.text
    assert "set-cookie" not in answer.headers


def test_guessing_is_slowed_down(text: str) -> None:
    client = browser()
    for _ in range(10):
        assert client.post("/sign-in", data={"token": WRONG}).status_code == 403

    slowed = client.post("/sign-in", data={"token": text})

    assert slowed.status_code == 429
    assert slowed.headers["retry-after"] == "60"
    assert "Try again in a minute" in slowed.text
    assert "set-cookie" not in slowed.headers
    # Others are not.
    other = TestClient(client.app, client=("10.1.2.3", 1), follow_redirects=False)
    assert other.post("/sign-in", data={"token": text}).status_code == 303


def test_right_tokens_are_not_counted(text: str) -> None:
    client = browser()

    statuses = {client.post("/sign-in", data={"token": text}).status_code for _ in range(15)}

    assert statuses == {303}


@pytest.mark.usefixtures("text")
def test_the_page_needs_nothing_else() -> None:
    answer = browser().get("/sign-in")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    # Else browsers would send the form with the origin `null`.
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "<script" not in answer.text
    assert re.findall(r'(?:src|href|action)="(?!data:)[^"]*"', answer.text) == []


@pytest.mark.usefixtures("tokens")
def test_without_tokens_nobody_has_to() -> None:
    assert browser().get("/sign-in").headers["location"] == "./"


def test_a_store_that_cannot_be_read_says_why(text: str, store: Path) -> None:
    (store / "tokens" / f"{text.split('_')[1]}.json").write_text("{")

    answer = browser().post("/sign-in", data={"token": text})

    assert answer.status_code == 503
    assert "tokens/" in answer.text
