"""What keeps the pages from those who have not signed in, where a token is needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelkb_store.errors import ModelKBError
from modelkb_viewer.addresses import SIGN_IN_PATH
from modelkb_viewer.routes.sign_in import session_of, sign_in_answer
from modelkb_viewer.visitors import VISITORS, Visitor

_HEALTH = "/_stcore/health"
_SIGNED_OUT = 1008
_TRY_AGAIN = 1013
_SECONDS_TO_GO = 5.0
_NOT_KEPT = {"Cache-Control": "no-store"}


class Guard:
    """Lets through who is let in; others get the page to sign in, or a refusal.

    Nothing is left out but the answer that tells whether the server is there. What is open
    already ends, too: each message of an open page is looked at as a request is.

    Args:
        app: The pages, and all that is served with them.
        base: Returns what all paths begin with: empty, or such as ``/lab``.
        farewell: Returns the message that has an open page go to an address.
    """

    def __init__(
        self, app: ASGIApp, base: Callable[[], str], farewell: Callable[[str], bytes]
    ) -> None:
        self._app = app
        self._base = base()
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        path = scope.get("path", "").removeprefix(self._base)
        if scope["type"] not in ("http", "websocket") or path == _HEALTH:
            await self._app(scope, receive, send)
            return
        session = session_of(HTTPConnection(scope))
        try:
            visitor = await run_in_threadpool(VISITORS.find, session)
        except (ModelKBError, OSError) as error:
            await _refuse(scope, receive, send, PlainTextResponse(str(error), 503, _NOT_KEPT))
            return
        if path == f"/{SIGN_IN_PATH}" and scope["type"] == "http":
            answer = await sign_in_answer(Request(scope, receive), visitor)
            await answer(scope, receive, send)
        elif visitor is None:
            await _refuse(scope, receive, send, self._refusal(scope))
        elif scope["type"] == "websocket":
            watched = _Watched(receive, send, session, visitor, self._farewell)
            await self._app(scope, watched.receive, watched.send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response:
        is_page = "text/html" in Headers(scope=scope).get("accept", "")
        if is_page and scope.get("method") in ("GET", "HEAD"):
            return RedirectResponse(_sign_in_address(scope, self._base), 303, _NOT_KEPT)
        headers = {**_NOT_KEPT, "WWW-Authenticate": 'Cookie realm="ModelKB"'}
        return PlainTextResponse("You are signed out. Reload the page to sign in.", 401, headers)


class _Watched:
    """An open page, as long as who looks at it is let in.

    Args:
        receive: Receives from the page.
        send: Sends to it.
        session: What the browser has sent of a session.
        visitor: Who looks at it.
        farewell: Returns the message that has the page go to an address.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        session: str | None,
        visitor: Visitor,
        farewell: Callable[[str], bytes],
    ) -> None:
        self._receive = receive
        self._send = send
        self._session = session
        self._visitor = visitor
        self._farewell = farewell
        self._has_ended = False
        self._is_gone = False

    async def receive(self) -> Message:
        """Return the page's next message, or that it is gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        try:
            if await run_in_threadpool(VISITORS.find, self._session) is not None:
                return message
        except (ModelKBError, OSError):
            self._has_ended = True
            await self._close(_TRY_AGAIN)
        else:
            await self._say_farewell()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._until_gone(), _SECONDS_TO_GO)
            await self._close(_SIGNED_OUT)
        return {"type": "websocket.disconnect", "code": _SIGNED_OUT}

    async def send(self, message: Message) -> None:
        """Send a message to the page, unless it has been signed out."""
        is_content = message["type"] == "websocket.send"
        if is_content and VISITORS.has_ended(self._visitor.session):
            await self._say_farewell()
        elif not self._has_ended:
            await self._send(message)

    async def _say_farewell(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            # From where the page is, as a proxy may have moved it.
            content = self._farewell(SIGN_IN_PATH)
            await self._send({"type": "websocket.send", "bytes": content})

    async def _until_gone(self) -> None:
        """Wait for the page to go by itself: one that is cut off asks for the server first."""
        message = await self._receive()
        while message["type"] != "websocket.disconnect":
            message = await self._receive()
        self._is_gone = True

    async def _close(self, code: int) -> None:
        if not self._is_gone:
            await self._send({"type": "websocket.close", "code": code, "reason": "signed out"})


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _SIGNED_OUT, "reason": "signed out"})
    else:
        await refusal(scope, receive, send)


def _sign_in_address(scope: Scope, base: str) -> str:
    """Return the address from where the request went to, as a proxy may have moved it."""
    path = scope["path"].removeprefix(base)
    query = scope["query_string"].decode("ascii", "ignore")
    asked = path.removeprefix("/") + (f"?{query}" if query else "")
    up = "../" * (path.count("/") - 1) if path else f"{base.rpartition('/')[2]}/"
    address = f"{up or './'}{SIGN_IN_PATH}"
    return f"{address}?next={quote(asked, safe='')}" if asked else address
