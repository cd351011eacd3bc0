"""Requests that take a processor or much memory for long: some at once, so that others stay fast.

What reads a few rows waits for a thread; there are 16 (`warm_up.py`). What is heavy takes few of
them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator

from fastapi import Request

from modelkb_viewer.api.limits import busy

_WAITING_SECONDS = 10.0
_WORKING = max(2, min(4, os.cpu_count() or 1))


class Places:
    """How many requests of a kind may be at work at once; the others wait for some seconds.

    Args:
        most: How many.
        waiting_seconds: How long others wait.
    """

    def __init__(self, most: int, waiting_seconds: float = _WAITING_SECONDS) -> None:
        self._free = asyncio.Semaphore(most)
        self._waiting_seconds = waiting_seconds

    @contextlib.asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Take a place until the answer is sent.

        Raises:
            RefusedError: None became free.
        """
        try:
            await asyncio.wait_for(self._free.acquire(), self._waiting_seconds)
        except asyncio.TimeoutError as error:
            raise busy() from error
        try:
            yield
        finally:
            self._free.release()


def heavy_places() -> list[tuple[re.Pattern[str], Places]]:
    """Return which requests, by method and path of the route, take which places.

    Predictions wait for their model's process without a thread, and the more of them wait, the
    more are predicted at once.
    """
    whole_models = Places(_WORKING)
    return [
        (re.compile("POST .*/sql"), Places(_WORKING)),
        (re.compile("POST .*/predictions"), Places(256)),
        (re.compile("PUT .*/imports/.*"), Places(2)),
        (re.compile("PUT .*/objects/.*"), Places(8)),
        (re.compile("GET .*/(script|code|code/.*|comparison|checkpoints/.*)"), whole_models),
    ]


async def in_its_place(request: Request) -> AsyncIterator[None]:
    """Have a request wait where it is heavy: a dependency of all routes that have some such."""
    route = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    places: list[tuple[re.Pattern[str], Places]] = request.app.state.heavy_places
    for pattern, kind in places:
        if pattern.fullmatch(route):
            async with kind.hold():
                yield
            return
    yield
