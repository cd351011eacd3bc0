"""The page to sign in: a form for a token, and the cookie by which the browser is known then."""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from urllib.parse import parse_qs

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from modelkb_store.errors import ModelKBError
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.addresses import COMPARE_PATH, EXPERIMENT_PATH, PROJECT_PATH
from modelkb_viewer.routes.sign_in_page import sign_in_page
from modelkb_viewer.visitors import (
    SECONDS_SIGNED_IN,
    VISITORS,
    InvalidTokenError,
    ProjectTokenError,
    Visitor,
)

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 4096
_MOST_FAILURES = RateLimitItemPerMinute(10)
_MANY_FAILURES = "Too many tokens were tried from where you are. Try again in a minute."
# Where it leads to: a page of the viewer, and nowhere else.
_PAGE = re.compile(rf"(?:{PROJECT_PATH}|{EXPERIMENT_PATH}|{COMPARE_PATH})?(?:\?[!-~]*)?")
_failures = MovingWindowRateLimiter(MemoryStorage())


def session_of(connection: HTTPConnection) -> str | None:
    """Return the session that a browser has sent; None if it has none."""
    return connection.cookies.get(cookie_name())


def cookie_name() -> str:
    """Return the name of the cookie: viewers of other stores on this machine have their own."""
    store = hashlib.sha256(resolve_store_location(None).encode()).hexdigest()
    return f"modelkb-session-{store[:8]}"


async def sign_in_answer(request: Request, visitor: Visitor | None) -> Response:
    """Return the page, or where a right token leads to.

    Args:
        request: A request for the page, or with its form.
        visitor: Who asks, if they are let in already.
    """
    if request.method == "POST":
        return await _answer_form(request)
    if request.method not in ("GET", "HEAD"):
        return PlainTextResponse("", 405, {"Allow": "GET, HEAD, POST"})
    return sign_in_page() if visitor is None else RedirectResponse(_target(request), 303)


async def _answer_form(request: Request) -> Response:
    client = request.client.host if request.client else ""
    if not _failures.test(_MOST_FAILURES, client):
        page = sign_in_page(_MANY_FAILURES, HTTPStatus.TOO_MANY_REQUESTS)
        page.headers["Retry-After"] = "60"
        return page
    text = await _token(request)
    try:
        session = await run_in_threadpool(VISITORS.sign_in, text)
    except InvalidTokenError as error:
        _failures.hit(_MOST_FAILURES, client)
        return sign_in_page(str(error), HTTPStatus.FORBIDDEN)
    except ProjectTokenError as error:
        return sign_in_page(str(error), HTTPStatus.FORBIDDEN)
    except (ModelKBError, OSError) as error:
        return sign_in_page(str(error), HTTPStatus.SERVICE_UNAVAILABLE)
    answer = RedirectResponse(_target(request), HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        cookie_name(),
        session,
        max_age=SECONDS_SIGNED_IN,
        # For the folder of this address, as the browser sees it: a proxy may have changed it.
        path=None,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


async def _token(request: Request) -> str:
    """Return what was given as token; nothing if this is not the form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return ""
    content = b""
    async for block in request.stream():
        content += block
        if len(content) > _MOST_BYTES:
            return ""
    fields = parse_qs(content.decode("utf-8", "replace"))
    return fields.get("token", [""])[0].strip()


def _target(request: Request) -> str:
    asked = request.query_params.get("next", "")
    return f"./{asked}" if _PAGE.fullmatch(asked) else "./"
