"""Netron's own page, which draws an architecture file; it is told to call nobody.

As it is shipped, the page asks where its reader lives, reports its use and refuses to work half a
year after its release. With version 0.0.0, without a date and with the cookie by which a reader
has agreed, it does none of this (seen in Netron 9.3); the policy of its answers forbids it, too.
Its links to its makers lead nowhere: in a frame they would put an error into its place. When it
has drawn a model it would take the focus, away from where the reader of the page around it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

_PATH = "netron"
_INDEX = "index.html"
_KINDS = {
    ".css": "text/css",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
}
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
_FOCUS = "keep-focus.js"
_FOCUS_SCRIPT = """\
const focus = HTMLElement.prototype.focus;
HTMLElement.prototype.focus = function (options) {
    if (document.hasFocus()) {
        focus.call(this, { ...options, preventScroll: true });
    }
};
"""
# What is changed in its page: pattern, replacement.
_CHANGES = (
    (r"(?=<script)", f'<script src="{_FOCUS}"></script>'),
    (r'<meta name="version"[^>]*>', '<meta name="version" content="0.0.0">'),
    (r'<meta name="date"[^>]*>', ""),
    (r'href="https?://[^"]*"( target="[^"]*")?', 'href="#"'),
)


def netron_address(file_address: str, name: str) -> str:
    """Return the address of Netron's page with a file, from the root of the viewer.

    Args:
        file_address: Where the file is, from the root of the viewer.
        name: Its name with its suffix, by which Netron knows the format.
    """
    return f"/{_PATH}/?{urlencode({'url': f'../{file_address}', 'identifier': name})}"


def netron_route() -> BaseRoute:
    """Return the route of Netron's page and of what it loads, below any base path."""
    return Route(f"/{{base:path}}{_PATH}/{{name:path}}", _answer)


async def _answer(request: Request) -> Response:
    files = _files()
    if not files:
        text = "Netron is not installed. Install it with `pip install 'modelkb[viewer]'`."
        return PlainTextResponse(text, 503, headers=_HEADERS)
    name = request.path_params["name"] or _INDEX
    if name == _INDEX:
        answer = Response(_page(), media_type="text/html", headers=_HEADERS)
        # For the folder of this address, as the browser sees it: a proxy may have changed it.
        answer.set_cookie("consent", "1", path=None, samesite="strict")
        return answer
    if name == _FOCUS:
        return Response(_FOCUS_SCRIPT, media_type=_KINDS[".js"], headers=_HEADERS)
    if name not in files:
        return PlainTextResponse("There is no such file.", 404, headers=_HEADERS)
    file = files[name]
    return FileResponse(file, media_type=_KINDS[file.suffix], headers=_HEADERS)


@functools.cache
def _files() -> Mapping[str, Path]:
    """Return what the page may load, by name; Netron has no folders in it."""
    spec = find_spec("netron")
    if spec is None or spec.origin is None:
        return {}
    return {each.name: each for each in Path(spec.origin).parent.iterdir() if each.suffix in _KINDS}


@functools.cache
def _page() -> str:
    page = next(iter(_files().values())).with_name(_INDEX).read_text(encoding="utf-8")
    for pattern, replacement in _CHANGES:
        page = re.sub(pattern, replacement, page)
    return page
