"""Netron's own page, which draws an architecture file; it is told to call nobody.

As it is shipped, the page asks where its reader lives, reports its use and refuses to work half a
year after its release. With version 0.0.0, without a date and with the cookie by which a reader
has agreed, it does none of this (seen in Netron 9.3); the policy of its answers forbids it, too.
"""

from __future__ import annotations

import functools
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

_PATH = "netron"
_KINDS = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}
_PICTURES = {".png": "image/png", ".ico": "image/x-icon"}
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}


def netron_address(file_address: str, name: str) -> str:
    """Return the address of Netron's page with a file, from the root of the viewer.

    Args:
        file_address: Where the file is, from the root of the viewer.
        name: Its name with its suffix, by which Netron knows the format.
    """
    return f"/{_PATH}/?{urlencode({'url': f'../{file_address}', 'identifier': name})}"


def netron_route() -> BaseRoute:
    """Return the route of Netron's page and of what it loads."""
    return Route(f"/{_PATH}/{{name:path}}", _answer)


async def _answer(request: Request) -> Response:
    name = request.path_params["name"] or "index.html"
    if name == "index.html":
        answer = Response(_page(), media_type="text/html", headers=_HEADERS)
        answer.set_cookie("consent", "1", path=request.url.path, samesite="strict")
        return answer
    file = _folder() / name
    kind = {**_KINDS, **_PICTURES}.get(file.suffix)
    # Only what lies in the folder itself: Netron has no folders in it.
    if kind is None or file.parent != _folder() or not file.is_file():
        return PlainTextResponse("There is no such file.", 404, headers=_HEADERS)
    return FileResponse(file, media_type=kind, headers=_HEADERS)


@functools.cache
def _folder() -> Path:
    spec = find_spec("netron")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@functools.cache
def _page() -> str:
    page = (_folder() / "index.html").read_text(encoding="utf-8")
    page = re.sub(r'<meta name="version"[^>]*>', '<meta name="version" content="0.0.0">', page)
    return re.sub(r'<meta name="date"[^>]*>', "", page)
