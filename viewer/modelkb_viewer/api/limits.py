"""How often and how many at once may ask, so that nobody keeps the others from it."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelkb_viewer.api.problems import RefusedError, refusal
from modelkb_viewer.api.settings import Settings

# In the scope of a request: whether its token was found to be valid.
VERIFIED = "modelkb.token_is_valid"
# Of one address: who mistypes a token does so some times, who guesses goes on.
_WRONG_TOKENS = RateLimitItemPerMinute(30)
_MOST_KNOWN_TOKENS = 10_000
# Each holds a connection for as long as a run takes, and a thread twice a second.
_MOST_FOLLOWERS = 400
_FOLLOWING = re.compile("/experiments/[^/]+/events")
# Asked by those who look whether the server lives.
_ALWAYS = "/health"
_BUSY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks, as far as that can be told before the token is looked up.

    Attributes:
        address: Of the machine; of IPv6 the network, which one machine has all addresses of.
        token: A hash of the token that was sent; None without one.
    """

    address: str
    token: bytes | None

    @classmethod
    def of(cls, scope: Scope) -> _Asking:
        client = scope.get("client")
        sent = Headers(scope=scope).get("authorization")
        token = None if sent is None else hashlib.sha256(sent.encode()).digest()
        return cls(_network(client[0] if client else ""), token)


class Limits:
    """Refuses what is too much, with 429 or 503 and when to come again.

    Requests are counted by token, once it was found to be valid, and by address before that.
    An address that sends wrong tokens is refused after some of them; valid tokens that were seen
    before go on to be let in from there.

    Args:
        app: What answers.
        settings: How much is too much.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._most_running = settings.concurrent_requests
        self._requests = RateLimitItemPerMinute(settings.requests_per_minute)
        # The one for tasks: the one for threads starts a thread with each request.
        self._rates = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._running = self._following = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http" or _path(scope) == _ALWAYS:
            await self._app(scope, receive, send)
            return
        asking = _Asking.of(scope)
        is_following = _FOLLOWING.fullmatch(_path(scope)) is not None
        refused = await self._of_rate(asking) or self._of_number(is_following)
        if refused is not None:
            await refusal(refused)(scope, receive, send)
            return

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start" and asking.token is not None:
                await self._learn(asking, scope, message["status"])
            await send(message)

        self._running += not is_following
        self._following += is_following
        try:
            await self._app(scope, receive, seen)
        finally:
            self._running -= not is_following
            self._following -= is_following

    async def _of_rate(self, asking: _Asking) -> RefusedError | None:
        is_known = asking.token in self._known
        wrong = ("wrong token", asking.address)
        if asking.token and not is_known and not await self._rates.test(_WRONG_TOKENS, *wrong):
            detail = "Too many wrong tokens came from this address."
            return await self._too_many(_WRONG_TOKENS, wrong, detail)
        counted = asking.token.hex() if asking.token and is_known else asking.address
        if not await self._rates.hit(self._requests, "request", counted):
            detail = f"More than {self._requests.amount:,} requests a minute are too many here."
            return await self._too_many(self._requests, ("request", counted), detail)
        return None

    async def _too_many(
        self, item: RateLimitItem, key: tuple[str, str], detail: str
    ) -> RefusedError:
        window = await self._rates.get_window_stats(item, *key)
        seconds = max(1, round(window.reset_time - time.time()))
        detail += f" Come again in {seconds} seconds."
        headers = {"Retry-After": str(seconds)}
        return RefusedError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers)

    def _of_number(self, is_following: bool) -> RefusedError | None:
        is_full = (
            self._following >= _MOST_FOLLOWERS
            if is_following
            else self._running >= self._most_running
        )
        return busy() if is_full else None

    async def _learn(self, asking: _Asking, scope: Scope, status: int) -> None:
        assert asking.token is not None
        if scope.get(VERIFIED):
            self._known[asking.token] = None
            self._known.move_to_end(asking.token)
            if len(self._known) > _MOST_KNOWN_TOKENS:
                self._known.popitem(last=False)
        elif status == HTTPStatus.UNAUTHORIZED:
            self._known.pop(asking.token, None)
            await self._rates.hit(_WRONG_TOKENS, "wrong token", asking.address)


def busy() -> RefusedError:
    """Return what is answered where too many ask at once."""
    detail = f"The server answers others. Come again in {_BUSY_SECONDS} seconds."
    headers = {"Retry-After": str(_BUSY_SECONDS)}
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers)


def _path(scope: Scope) -> str:
    """Return the path of a request as the API has it, wherever the API itself is."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6 and not parsed.is_loopback:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
