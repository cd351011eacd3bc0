"""Bodies of requests that are bytes, of bounded length."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from modelkb_viewer.api.problems import RefusedError

# For a route's `openapi_extra`.
BINARY: dict[str, Any] = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}


async def bytes_of(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises:
        RefusedError: It is longer than it may be.
    """
    return b"".join([block async for block in _blocks(request, most)])


async def save_body(request: Request, path: Path, most: int) -> None:
    """Write the body of a request to a file; see :func:`bytes_of`."""
    with path.open("wb") as file:
        async for block in _blocks(request, most):
            await run_in_threadpool(file.write, block)


async def _blocks(request: Request, most: int) -> AsyncIterator[bytes]:
    told = request.headers.get("content-length", "0")
    size = int(told) if told.isdigit() else 0
    if size <= most:
        size = 0
        async for block in request.stream():
            size += len(block)
            if size > most:
                break
            yield block
    if size > most:
        detail = f"No more than {most:,} bytes can be sent in one request."
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
