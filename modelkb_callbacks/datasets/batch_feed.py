"""Hands batches from a training to a thread of ours, which takes its time with them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from modelkb_callbacks.rows import snapshot

# What is kept of the user's batches at any time; the training waits when it is ahead by more.
_BATCHES_WAITING = 4

Batch = tuple[list[Any], list[Any]]


class BatchFeed:
    """A bounded queue of batches and the thread that empties it.

    Args:
        consume: Called in the thread with the leaves of each batch's x and y.

    Attributes:
        problem: What failed first; nothing is consumed after that.
    """

    def __init__(self, consume: Callable[[list[Any], list[Any]], None]) -> None:
        self._consume = consume
        self._waiting: queue.Queue[Batch | None] = queue.Queue(_BATCHES_WAITING)
        self._thread: threading.Thread | None = None
        self.problem: str | None = None

    def put(self, x: list[Any], y: list[Any]) -> None:
        """Pass a batch on, in the training's thread: whatever fails of ours is kept quiet."""
        if self.problem is not None:
            return
        try:
            batch = [snapshot(leaf) for leaf in x], [snapshot(leaf) for leaf in y]
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="modelkb", daemon=True)
                self._thread.start()
        except Exception as error:  # noqa: BLE001 - the training goes on
            self._fail(error)
        else:
            self._waiting.put(batch)

    def close(self) -> None:
        """Wait until every batch is consumed, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def _work(self) -> None:
        while (batch := self._waiting.get()) is not None:
            if self.problem is not None:
                continue  # whoever puts must never wait for a reader that is gone
            try:
                self._consume(*batch)
            except Exception as error:  # noqa: BLE001 - said in the record
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.problem = str(error) or type(error).__name__
