"""Connections on which no request comes."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

_SECONDS = 20.0


class PromptRequests(H11Protocol):
    """HTTP of a server that waits some seconds for the head of a request, and then hangs up.

    Without a token anybody could else hold connections for ever, by a byte a minute. How long the
    head may be is bounded by h11. What comes after it, and how long an answer takes, is no matter
    of this.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what comes; with its first byte the next request has begun."""
        before = self.cycle
        if self._deadline is None and (before is None or before.response_complete):
            self._wait()
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(_SECONDS, self._hang_up, self.cycle)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self, before: object) -> None:
        self._deadline = None
        if self.cycle is before:  # else the next request had come together with the last one
            self.transport.close()
