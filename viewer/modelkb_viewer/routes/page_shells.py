"""The page that Streamlit's front end starts in, for addresses below the root.

There the front end looks for its server first below the page (``/project/_stcore/..``), and
browsers write each try that fails to their console as an error. The page tells it where the server
is, in the object that Streamlit has for this (seen in Streamlit 1.67); without it all works, too.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from modelkb_viewer.addresses import COMPARE_PATH, EXPERIMENT_PATH, PROJECT_PATH, SIGN_OUT_PATH

_WHERE = (
    '<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", location.href).href};</script>'
)


def page_shell_routes() -> list[BaseRoute]:
    """Return a route for every page but the first, below any base path."""
    return [
        Route(f"/{{base:path}}{path}", _answer, name=path)
        for path in (PROJECT_PATH, EXPERIMENT_PATH, COMPARE_PATH, SIGN_OUT_PATH)
    ]


async def _answer(request: Request) -> Response:
    return HTMLResponse(_shell(), headers={"Cache-Control": "no-cache"})


@functools.cache
def _shell() -> str:
    spec = find_spec("streamlit")
    assert spec is not None
    assert spec.origin is not None
    page = (Path(spec.origin).parent / "static/index.html").read_text(encoding="utf-8")
    return page.replace("<head>", f"<head>{_WHERE}", 1)
