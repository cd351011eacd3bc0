"""Batches that have ended, kept until they are written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from modelkb_callbacks.batch_block import EndedBatch

_WRITE_AFTER_SECONDS = 10.0


class BatchLog:
    """Keeps what Keras tells of each batch, at less than a microsecond a batch.

    Keras makes the logs of every batch anew, so they are kept as they are. In a child that was
    forked off nothing is written, and what is kept is dropped now and then.

    Args:
        write: Called every ten seconds; it is to :meth:`take` the batches, and must not raise.
    """

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._batches: list[EndedBatch] = []
        self._append = self._batches.append
        self._last: int | None = None
        self._process_id = os.getpid()
        self._due = time.time() + _WRITE_AFTER_SECONDS

    def end_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep a batch; a hook of Keras, which is called for every one of them."""
        now = time.time()
        self._append((batch, now, logs))
        if now >= self._due:
            self._pass_on()

    def begin_epoch(self) -> None:
        """Let the numbers of batches begin anew."""
        self._last = None

    def take(self) -> list[EndedBatch]:
        """Return the batches that have ended since the last call, each once.

        A callback that is twice in a list of callbacks is told every batch twice.
        """
        taken = list(self._batches)
        del self._batches[: len(taken)]
        self._due = time.time() + _WRITE_AFTER_SECONDS
        once = []
        for each in taken:
            if each[0] != self._last:
                once.append(each)
                self._last = each[0]
        return once

    def _pass_on(self) -> None:
        if os.getpid() == self._process_id:
            self._write()
        else:
            self.take()
