"""Requests that pages of other sites make a browser send: they are refused.

A server on this machine alone lets everybody in, and a browser on it can be told by any page to
ask it. There are two ways: the page's own name is made to lead to this machine (DNS rebinding),
which the header ``Host`` shows; or it sends a form or a script's request across, which
``Sec-Fetch-Site`` or ``Origin`` shows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from modelkb_viewer.listening import is_only_for_this_machine

# Further names, with commas between them, under which servers on this machine may be asked.
ALLOWED_HOSTS_VARIABLE = "MODELKB_ALLOWED_HOSTS"
_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN = ("same-origin", "none")
_STATUS = 403


def allow_hosts(names: Sequence[str]) -> None:
    """Allow further names, in this process and those that it starts."""
    known = os.environ.get(ALLOWED_HOSTS_VARIABLE, "")
    os.environ[ALLOWED_HOSTS_VARIABLE] = ",".join(filter(None, [known, *names]))


class ForeignRequests:
    """Lets through what does not come from a page of another site.

    A server that others can reach has tokens, and may have any name. A proxy on this machine
    that passes on its own name as host needs that name allowed.

    Args:
        app: What answers.
        address: Returns where the server listens.
    """

    def __init__(self, app: ASGIApp, address: Callable[[], str]) -> None:
        self._app = app
        self._is_local = is_only_for_this_machine(address())
        names = os.environ.get(ALLOWED_HOSTS_VARIABLE, "").split(",")
        self._allowed = {name.strip().lower() for name in names if name.strip()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        else:
            await _answer(scope, refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._is_local and not self._is_known(_name_of(host)):
            return (
                f"This server is for this machine, and was asked as {host!r}. Its owner can allow "
                f"that by `--allow-host NAME` or in ${ALLOWED_HOSTS_VARIABLE}."
            )
        if scope["type"] == "http" and scope["method"] not in _SAFE and self._is_foreign(headers):
            return "A page of another site has sent this request. It is refused."
        return None

    def _is_known(self, name: str) -> bool:
        return is_only_for_this_machine(name) or name in self._allowed

    def _is_foreign(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in _OWN
        # Programs send neither; nor do browsers send the first, over plain HTTP in a network.
        origin = headers.get("origin")
        if origin is None:
            return False
        own = origin.partition("://")[2].lower() == headers.get("host", "").lower()
        return not own and _name_of(origin.partition("://")[2]) not in self._allowed


def _name_of(host: str) -> str:
    """Return the name in a header ``Host``, in small letters and without port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _answer(scope: Scope, refusal: str) -> Response:
    if "text/html" in Headers(scope=scope).get("accept", ""):
        return PlainTextResponse(refusal, _STATUS)
    problem = {"type": "about:blank", "title": "Forbidden", "status": _STATUS, "detail": refusal}
    return Response(json.dumps(problem), _STATUS, media_type="application/problem+json")
