"""Noting who changes what through the API, and who was not allowed to."""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from typing import Protocol
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelkb_store.audit_log import AuditEntry, AuditLog
from modelkb_store.layout import resolve_store_location
from modelkb_viewer.opened_store import opened_store

_WHO, _ABOUT = "modelkb.writes", "modelkb.about"
_LONGEST_VALUE = 300
_SERVER_ERROR = 500


class _Who(Protocol):
    @property
    def token_id(self) -> str | None: ...
    @property
    def token_name(self) -> str | None: ...


def note_write(request: Request, who: _Who) -> None:
    """Have a request noted when it is answered."""
    request.scope[_WHO] = who


def note_subject(request: Request, **about: str) -> None:
    """Have it noted what a request was about, where its path does not say so."""
    request.scope.setdefault(_ABOUT, {}).update(about)


def opened_audit() -> AuditLog:
    """Return the log of the store that is served."""
    return _open(resolve_store_location(None))


def close_audit() -> None:
    """Write what waits to be noted, before this process ends."""
    if _open.cache_info().currsize:
        opened_audit().close()


@functools.cache
def _open(location: str) -> AuditLog:
    return AuditLog(opened_store().files)


class Audit:
    """Notes the requests that :func:`note_write` was called for.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and note it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _SERVER_ERROR

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            who: _Who | None = scope.get(_WHO)
            if who is not None:
                opened_audit().add(_entry(scope, who, status))


def _entry(scope: Scope, who: _Who, status: int) -> AuditEntry:
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    about = {
        **{name: str(value) for name, value in scope.get("path_params", {}).items()},
        **({"project": asked["project"][0]} if "project" in asked else {}),
        **scope.get(_ABOUT, {}),
    }
    client = scope.get("client")
    return AuditEntry(
        at=datetime.now(timezone.utc),
        token_id=who.token_id,
        token_name=who.token_name,
        address=client[0] if client else "",
        method=scope["method"],
        route=str(getattr(scope.get("route"), "path", scope["path"])),
        parameters={name: value[:_LONGEST_VALUE] for name, value in about.items()},
        status=status,
    )
