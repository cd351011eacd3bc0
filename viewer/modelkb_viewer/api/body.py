"""Bodies of requests: how long they may be, and how slowly they may come."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelkb_viewer.api.problems import RefusedError, refusal

# For a route's `openapi_extra`.
BINARY: dict[str, Any] = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}
# A hundred thousand ids of experiments; routes that take more say so.
_MOST_BYTES = 4 << 20
_SILENCE_SECONDS = 30.0
_SLOWEST_BYTES_PER_SECOND = 1000.0
_SCOPE_KEY = "modelkb.body"


@dataclass(slots=True)
class _Body:
    """What has come of a body."""

    told: int
    most: int = _MOST_BYTES
    received: int = 0
    is_whole: bool = False
    began: float = field(default_factory=time.monotonic)

    def check_size(self) -> None:
        if max(self.told, self.received) > self.most:
            detail = f"No more than {self.most:,} bytes can be sent in one request."
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)

    def patience(self) -> float:
        """Return for how long more is waited for."""
        allowed = _SILENCE_SECONDS + self.received / _SLOWEST_BYTES_PER_SECOND
        return min(_SILENCE_SECONDS, max(0.0, self.began + allowed - time.monotonic()))


class Bodies:
    """Refuses bodies that are too long, come too slowly, or are compressed.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with a body that is bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            detail = "Send it as it is: bodies are not decompressed."
            refused = RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Encoding": "identity"}
            )
            await refusal(refused)(scope, receive, send)
            return
        told = headers.get("content-length", "")
        body = _Body(int(told) if told.isascii() and told.isdigit() else 0)
        scope[_SCOPE_KEY] = body

        async def bounded() -> Message:
            if body.is_whole:
                return await receive()
            body.check_size()
            try:
                with anyio.fail_after(body.patience()):
                    message = await receive()
            except TimeoutError as error:
                detail = "The body of the request came too slowly, or not to its end."
                close = {"Connection": "close"}
                raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, detail, close) from error
            body.received += len(message.get("body", b""))
            body.is_whole = not message.get("more_body", False)
            body.check_size()
            return message

        await self._app(scope, bounded, send)


async def bytes_of(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        most: How many bytes it may have.

    Raises:
        RefusedError: It is longer than it may be, or comes too slowly.
    """
    return b"".join([block async for block in _blocks(request, most)])


async def save_body(request: Request, path: Path, most: int) -> None:
    """Write the body of a request to a file; see :func:`bytes_of`."""
    with path.open("wb") as file:
        async for block in _blocks(request, most):
            await run_in_threadpool(file.write, block)


def _blocks(request: Request, most: int) -> AsyncIterator[bytes]:
    body: _Body = request.scope[_SCOPE_KEY]
    body.most = most
    return request.stream()
