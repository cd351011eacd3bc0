"""Snapshots that threads share which read a store at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from modelkb_store.files.files import Files
from modelkb_store.log.log_cache import LogCache
from modelkb_store.snapshot import Snapshot


class SharedSnapshots:
    """Takes snapshots one after the other; who asks meanwhile shares the next one.

    So everybody gets one that was begun after the question, and many who ask at once get the same.

    Args:
        files: The store.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._log_cache = LogCache()
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        self._next: Future[Snapshot] | None = None

    def take(self) -> Snapshot:
        """Return a snapshot that was begun after this was called.

        Raises:
            FileNotFoundError: The store was changed meanwhile; take another one.
        """
        with self._lock:
            shared = self._next
            if shared is None:
                mine = self._next = Future()
        if shared is not None:
            return shared.result()
        try:
            with self._taking:
                self._close(mine)
                mine.set_result(Snapshot(self._files, log_cache=self._log_cache))
        except BaseException as error:
            self._close(mine)
            mine.set_exception(error)
            raise
        return mine.result()

    def _close(self, mine: Future[Snapshot]) -> None:
        """Have those who ask from now on wait for another one."""
        with self._lock:
            if self._next is mine:
                self._next = None
