"""Looks at the store that many share who ask at the same time."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")


@dataclass(slots=True)
class _Looks:
    """Those of one event loop: which have begun, and which will when these end."""

    running: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict)
    waiting: dict[Hashable, asyncio.Task[Any]] = field(default_factory=dict)


class SharedLooks(Generic[T]):
    """Has one look do for all who ask for the same before it has begun.

    So everybody sees the store as it was after the question or later, and of a thousand who ask at
    once, nearly all share one look.

    Example:
        >>> experiment = await SharedLooks().get("9f1c", lambda: store.experiment("9f1c"))
    """

    def __init__(self) -> None:
        self._of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Looks] = (
            weakref.WeakKeyDictionary()
        )

    async def get(self, key: Hashable, look: Callable[[], T]) -> T:
        """Return what a look sees that begins from now on, in a thread.

        Args:
            key: What is looked at.
            look: Looks.
        """
        looks = self._of_loop.setdefault(asyncio.get_running_loop(), _Looks())
        task: asyncio.Task[T] | None = looks.waiting.get(key)
        if task is None:
            task = asyncio.ensure_future(_look(looks, key, look))
            looks.waiting[key] = task
        return await asyncio.shield(task)


async def _look(looks: _Looks, key: Hashable, look: Callable[[], T]) -> T:
    before = looks.running.get(key)
    if before is not None:
        await asyncio.wait([before])
    mine = looks.running[key] = looks.waiting.pop(key)
    try:
        return await run_in_threadpool(look)
    finally:
        if looks.running.get(key) is mine:
            del looks.running[key]
