"""What keeps the pages from those who have not signed in, where a token is needed."""

from __future__ import annotations

import asyncio
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

# Whether the server is there, and settings of the front end, which are the same for all. With these
# two a page that was open before the server was started comes so far that it can be told to go.
_OPEN = ("/_stcore/health", "/_stcore/host-config")
_SIGNED_OUT = 1008
_TRY_AGAIN = 1013
_SECONDS_TO_GO = 5.0
_NOT_KEPT = {"Cache-Control": "no-store"}


class Guard:
    """Lets through who is let in; others get the page to sign in, or a refusal.

    What is open already ends, too: each message of an open page is looked at as a request is.

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
        if scope["type"] not in ("http", "websocket") or path in _OPEN:
            await self._app(scope, receive, send)
            return
        session = session_of(HTTPConnection(scope))
        visitor, problem = await _known(session)
        if scope["type"] == "websocket":
            page = _OpenPage(receive, send, session, self._farewell)
            if problem:
                await send({"type": "websocket.close", "code": _TRY_AGAIN, "reason": "try again"})
            elif visitor is None:
                await page.turn_away(scope)
            else:
                page.session = visitor.session
                await self._app(scope, page.receive, page.send)
        elif problem:
            await PlainTextResponse(problem, 503, _NOT_KEPT)(scope, receive, send)
        elif path == f"/{SIGN_IN_PATH}":
            answer = await sign_in_answer(Request(scope, receive), visitor)
            await answer(scope, receive, send)
        elif visitor is None:
            await self._refusal(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response:
        is_page = "text/html" in Headers(scope=scope).get("accept", "")
        if is_page and scope["method"] in ("GET", "HEAD"):
            return RedirectResponse(_sign_in_address(scope, self._base), 303, _NOT_KEPT)
        headers = {**_NOT_KEPT, "WWW-Authenticate": 'Cookie realm="ModelKB"'}
        return PlainTextResponse("You are signed out. Reload the page to sign in.", 401, headers)


class _OpenPage:
    """The socket of an open page, as long as who looks at it is let in.

    Args:
        receive: Receives from the page.
        send: Sends to it.
        cookie: What the browser has sent of a session.
        farewell: Returns the message that has the page go to an address.

    Attributes:
        session: The session of who looks at it; None without any.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        cookie: str | None,
        farewell: Callable[[str], bytes],
    ) -> None:
        self.session: str | None = None
        self._receive = receive
        self._send = send
        self._cookie = cookie
        self._farewell = farewell
        self._has_ended = False

    async def receive(self) -> Message:
        """Return the page's next message, or that it is gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        visitor, problem = await _known(self._cookie)
        if visitor is not None:
            return message
        if problem:
            self._has_ended = True
            await self._close(_TRY_AGAIN)
        else:
            await self._sign_out()
        return {"type": "websocket.disconnect", "code": _SIGNED_OUT}

    async def send(self, message: Message) -> None:
        """Send a message to the page, unless it has been signed out."""
        if message["type"] == "websocket.send" and VISITORS.has_ended(self.session):
            await self._say_farewell()
        elif not self._has_ended:
            await self._send(message)

    async def turn_away(self, scope: Scope) -> None:
        """Take a page that was open before the server was started, and sign it out."""
        await self._receive()
        protocol = next(iter(scope["subprotocols"]), None)
        await self._send({"type": "websocket.accept", "subprotocol": protocol})
        await self._sign_out()

    async def _sign_out(self) -> None:
        """Have the page go; one that is just cut off would try to come back."""
        await self._say_farewell()
        try:
            await asyncio.wait_for(self._until_gone(), _SECONDS_TO_GO)
        except asyncio.TimeoutError:
            await self._close(_SIGNED_OUT)

    async def _say_farewell(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            # From where the page is, as a proxy may have moved it.
            content = self._farewell(SIGN_IN_PATH)
            await self._send({"type": "websocket.send", "bytes": content})

    async def _until_gone(self) -> None:
        message = await self._receive()
        while message["type"] != "websocket.disconnect":
            message = await self._receive()

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": "signed out"})


async def _known(session: str | None) -> tuple[Visitor | None, str]:
    """Return who has a session, and why that cannot be said."""
    try:
        return await run_in_threadpool(VISITORS.find, session), ""
    except (ModelKBError, OSError) as error:
        return None, str(error) or type(error).__name__


def _sign_in_address(scope: Scope, base: str) -> str:
    """Return the address from where the request went to, as a proxy may have moved it."""
    path = scope["path"].removeprefix(base)
    query = scope["query_string"].decode("ascii", "ignore")
    asked = path.removeprefix("/") + (f"?{query}" if query else "")
    up = "../" * (path.count("/") - 1) if path else f"{base.rpartition('/')[2]}/"
    address = f"{up or './'}{SIGN_IN_PATH}"
    return f"{address}?next={quote(asked, safe='')}" if asked else address
