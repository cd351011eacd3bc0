"""The REST API, beside the pages on the same port."""

from __future__ import annotations

import functools
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from modelkb_viewer.addresses import API_PATH
from modelkb_viewer.routes.whole_paths import WholePaths


class ApiBeside:
    """Answers below ``/api/v1``, and leaves all else to an application.

    It stands before what guards the pages, as the API asks for tokens itself, and before what
    Streamlit does with answers: it would keep events back to compress them.

    Args:
        app: What answers all else.
        base: Returns what all paths begin with: empty, or such as ``/lab``.
    """

    def __init__(self, app: ASGIApp, base: Callable[[], str]) -> None:
        self._app = app
        self._mount = WholePaths(base() + API_PATH, app=_answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] in ("http", "websocket"):
            match, of_api = self._mount.matches(scope)
            if match is Match.FULL:
                await self._mount.handle({**scope, **of_api}, receive, send)
                return
        await self._app(scope, receive, send)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    api = await run_in_threadpool(_made_api)
    await api(scope, receive, send)


@functools.cache
def _made_api() -> ASGIApp:
    # Inside: the first page does not wait for it.
    from modelkb_viewer.api.application import make_api

    return make_api()
