"""Requests that take a processor or much memory for long: some at once, so that others stay fast.

What reads a few rows is done one at a time: so does Python run threads, and with many at work each
waits for all others again and again. What is heavy has a few threads of its own (there are 16, see
`warm_up.py`), until the answer is made: who reads it slowly keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from fastapi import Depends, Request

from modelkb_viewer.api.limits import busy

_WAITING_SECONDS = 10.0
_WORKING = max(2, min(4, os.cpu_count() or 1))
# `benchmarks/api_load.py` on two processors: of 50 requests a second 99 % are answered within 0.25
# to 0.5 seconds; with two at once within 0.3 to 1.2, with four within 1.3.
_READING = 1
_MORE_SLOW_READING = 3
_SLOW_SECONDS = 0.25
# What is made for them takes the disk until it is sent.
_MOST_DOWNLOADS = 64


class Places:
    """How many requests of a kind may be at work at once; the others wait for some seconds.

    Args:
        most: How many.
        waiting_seconds: How long others wait; some seconds by default.
        most_slow: How many more, of those that turn out slow: their places are given to others.
    """

    def __init__(self, most: int, waiting_seconds: float | None = None, most_slow: int = 0) -> None:
        self._free = asyncio.Semaphore(most)
        self._waiting_seconds = _WAITING_SECONDS if waiting_seconds is None else waiting_seconds
        self._more_slow = asyncio.Semaphore(most_slow)

    @contextlib.asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Take a place for as long as this is open.

        Raises:
            RefusedError: None became free.
        """
        try:
            if self._free.locked():
                await asyncio.wait_for(self._free.acquire(), self._waiting_seconds)
            else:
                await self._free.acquire()
        except asyncio.TimeoutError as error:
            raise busy() from error
        make_way = asyncio.ensure_future(self._make_way())
        try:
            yield
        finally:
            # One that has made way has given its place to another one already.
            place = self._free if make_way.cancel() else self._more_slow
            place.release()

    async def _make_way(self) -> None:
        await asyncio.sleep(_SLOW_SECONDS)
        await self._more_slow.acquire()
        self._free.release()


# Which requests, by method and path of the route, take which places.
Kinds = list[tuple[re.Pattern[str], Places]]


def heavy_places() -> Kinds:
    """Return who takes which places until the answer is made.

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


def light_places() -> Kinds:
    """Return the same of all others but those who follow a run, or record one."""
    reading = Places(_READING, most_slow=_MORE_SLOW_READING)
    return [(re.compile("(GET|HEAD|POST|PATCH|DELETE) (?!.*/events$|/logs/).*"), reading)]


def sending_places() -> Kinds:
    """Return the same, of those that keep their places until the answer is sent."""
    return [(re.compile("GET .*/checkpoints/.+"), Places(_MOST_DOWNLOADS))]


async def _while_made(request: Request) -> AsyncIterator[None]:
    async with _place(request, request.app.state.making_places):
        yield


async def _while_sent(request: Request) -> AsyncIterator[None]:
    async with _place(request, request.app.state.sending_places):
        yield


def _place(request: Request, kinds: Kinds) -> AbstractAsyncContextManager[None]:
    route = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    found = (places.hold() for pattern, places in kinds if pattern.fullmatch(route))
    return next(found, contextlib.nullcontext())


# Have a request wait where it is heavy: dependencies of all routes that have some such.
IN_ITS_PLACE = (Depends(_while_sent), Depends(_while_made, scope="function"))
