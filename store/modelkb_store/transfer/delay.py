"""How long nothing could be sent to a remote store, and what follows from it."""

from __future__ import annotations

import threading
import time

from modelkb_store.errors import TokenError

_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
# How long the end of a process waits for a network that is away, and for one that was never there.
PATIENCE_AT_EXIT_SECONDS = 20.0
_PATIENCE_WITH_STRANGERS_SECONDS = 5.0
# A server that is started again is no news.
_TOLD_AFTER_SECONDS = 30.0


class Delay:
    """What keeps a spool from sending. Threads may share it.

    Attributes:
        pause_seconds: How long to wait before the next try: longer each time.
    """

    def __init__(self) -> None:
        self.pause_seconds = _FIRST_PAUSE_SECONDS
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self._since = 0.0
        self._was_told = False
        self._was_there = False

    def note(self, error: Exception) -> None:
        """Note that sending has failed."""
        with self._lock:
            if self._error is None:
                self._since, self.pause_seconds = time.monotonic(), _FIRST_PAUSE_SECONDS
            else:
                self.pause_seconds = min(2 * self.pause_seconds, _LONGEST_PAUSE_SECONDS)
            self._error = error

    def end(self) -> None:
        """Note that all went well."""
        with self._lock:
            self._error, self._was_there = None, True

    def reason(self, *, is_over: bool = False, is_left: bool = False) -> str | None:
        """Return, once, why nothing is sent; for an interruption that is short, None.

        What time does not mend, such as a token that is not valid, is told at once.

        Args:
            is_over: Whether a run has ended: what was never there is told then.
            is_left: Whether nobody tries any more.
        """
        with self._lock:
            error = self._error
            if error is None or self._was_told:
                return None
            is_final = isinstance(error, (ValueError, PermissionError))  # it was understood
            is_long = time.monotonic() - self._since > _TOLD_AFTER_SECONDS
            if not (is_final or is_long or is_left or (is_over and not self._was_there)):
                return None
            self._was_told = True
            return str(error) or type(error).__name__

    @property
    def patience_seconds(self) -> float:
        """How long the end of the process is to wait for it."""
        with self._lock:
            if isinstance(self._error, TokenError):
                return 0.0  # nobody gives another one to a process that ends
            if self._was_there:
                return PATIENCE_AT_EXIT_SECONDS
            return min(_PATIENCE_WITH_STRANGERS_SECONDS, PATIENCE_AT_EXIT_SECONDS)
