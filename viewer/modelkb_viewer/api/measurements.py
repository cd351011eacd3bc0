"""What the server does, counted for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNKNOWN = "unknown"
# Whoever asks may make up others, and each would be kept for ever.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_OTHER = "other"
_registry = CollectorRegistry()
_requests = Counter(
    "modelkb_requests",
    "Requests, by route, method and status.",
    ["route", "method", "status"],
    registry=_registry,
)
_seconds = Histogram(
    "modelkb_request_seconds",
    "Seconds until the first byte of the answer, by route.",
    ["route"],
    registry=_registry,
)


class Measurements:
    """Counts what an application answers, and how soon.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The pattern of the route: its paths are without number.
                route = getattr(scope.get("route"), "path", _UNKNOWN)
                method = scope["method"] if scope["method"] in _METHODS else _OTHER
                _requests.labels(route, method, message["status"]).inc()
                _seconds.labels(route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


def measurements_answer() -> Response:
    """Return all that was counted, in Prometheus' text format."""
    return Response(generate_latest(_registry), media_type=CONTENT_TYPE_LATEST)
