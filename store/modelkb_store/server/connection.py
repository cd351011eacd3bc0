"""Asking a server: the one place that knows how requests are sent and answers understood."""

from __future__ import annotations

import io
import json
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import quote

import pyarrow as pa
import urllib3

from modelkb_store._version import __version__
from modelkb_store.errors import ServerRefusedError
from modelkb_store.server.address import ServerAddress
from modelkb_store.server.problems import error_of, unreachable
from modelkb_store.server.transport import open_pool, reason_of

ARROW = "application/vnd.apache.arrow.stream"
_JSON = "application/json"
_PROBLEM = "application/problem+json"
Body = bytes | memoryview | io.BufferedReader | None
# Answers that may be another one a moment later.
_FOR_NOW = (429, 502, 503, 504)
_TOO_MANY = 429
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        connect_seconds: Until it takes a connection.
        silence_seconds: Until it says something more.
        attempts: How often a call that can be repeated is tried in all.
        longest_pause_seconds: A server that says to come again later than that is not waited for.
    """

    connect_seconds: float = 5.0
    silence_seconds: float = 120.0
    attempts: int = 4
    longest_pause_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered.

    Attributes:
        status: Its status, which is none of an error.
        content: The body.
        headers: The headers, in any case.
    """

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """A server that has a store. Threads may share it.

    Args:
        location: ``https://host:port``; see :class:`ServerAddress`.
        patience: How long it is waited for.

    Attributes:
        uri: The server, for people; without credentials.

    Example:
        >>> Connection("http://127.0.0.1:8601").document("GET", "/health")
        {'status': 'ok', 'version': '0.1.0'}
    """

    def __init__(self, location: str, patience: Patience | None = None) -> None:
        self._address = ServerAddress.parse(location)
        self.uri = self._address.uri
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._pool: tuple[int, urllib3.PoolManager] | None = None

    def __repr__(self) -> str:
        return f"Connection({self.uri!r})"

    def document(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return what a server answers as JSON.

        Args:
            method: ``GET``, ``POST``, ..
            path: From where the API begins, as :func:`path_of` makes it.
            body: What is sent as JSON; None for nothing; bytes as they are.
            query: What comes behind the ``?``.
            headers: Further headers.

        Raises:
            ModelKBError: What the server says, as :meth:`ask` does.
        """
        content = body if isinstance(body, bytes) else _json_of(body)
        answer = self.ask(method, path, content, query=query, headers=headers)
        try:
            return json.loads(answer.content) if answer.content else None
        except ValueError as error:
            raise unreachable(self.uri, "its answer is not that of ModelKB") from error

    def rows(self, path: str, body: Any) -> pa.Table:
        """Return what a server answers as an Arrow table; see :meth:`document`."""
        return self.rows_and_headers(path, body)[0]

    def rows_and_headers(self, path: str, body: Any) -> tuple[pa.Table, Mapping[str, str]]:
        """Return the same, and the headers of the answer."""
        answer = self.ask("POST", path, _json_of(body), accept=ARROW)
        try:
            with pa.ipc.open_stream(pa.py_buffer(answer.content)) as stream:
                return stream.read_all(), answer.headers
        except (pa.ArrowException, OSError, ValueError) as error:
            raise unreachable(self.uri, "its answer is not that of ModelKB") from error

    def ask(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        accept: str = _JSON,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        allowed: tuple[int, ...] = (),
        repeats: bool = True,
    ) -> Answer:
        """Send a request and return the answer.

        Args:
            method: ``GET``, ``POST``, ..
            path: From where the API begins.
            body: What is sent: JSON, if no header says otherwise; of a file all that is left.
            accept: The media type that is wanted.
            query: What comes behind the ``?``.
            headers: Further headers.
            allowed: Statuses of errors that are answers, too.
            repeats: Whether doing it twice is doing it once.

        Raises:
            StoreUnreachableError: It does not answer.
            TokenError: It wants another token.
            ModelKBError: What it says is wrong.
        """
        sent = {"Accept": accept, "User-Agent": f"modelkb/{__version__}"}
        if body is not None:
            sent["Content-Type"] = _JSON
        if self._address.token is not None:
            sent["Authorization"] = f"Bearer {self._address.token}"
        sent.update(headers or {})
        response = self._responds(method, path + _query_of(query), body, sent, repeats=repeats)
        if response.status < 300 or response.status in allowed:
            return Answer(response.status, response.data, response.headers)
        raise error_of(self.uri, response.status, self._problem(response))

    def _responds(
        self, method: str, path: str, body: Body, headers: Mapping[str, str], *, repeats: bool
    ) -> urllib3.BaseHTTPResponse:
        """Send a request, again and again where that helps."""
        attempts = self._patience.attempts if repeats else 1
        pause: float | None
        start = body.tell() if isinstance(body, io.BufferedReader) else 0
        attempt = 0
        while True:
            attempt += 1
            if isinstance(body, io.BufferedReader):
                body.seek(start)
            try:
                response = self._opened().request(
                    method,
                    self._address.base + path,
                    body=cast(Any, body),
                    headers=headers,
                    redirect=False,
                    retries=False,
                )
                # What is too much was not begun: it can always be asked again.
                last = self._patience.attempts if response.status == _TOO_MANY else attempts
                pause = _retry_after(response)
                if response.status not in _FOR_NOW or attempt >= last:
                    return response
                if pause is not None and pause > self._patience.longest_pause_seconds:
                    return response
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if attempt >= attempts:
                    raise unreachable(self.uri, reason_of(error)) from error
                pause = None
            jitter = random.uniform(0.5, 1.0)  # noqa: S311
            # Not all that were refused at once come again at once.
            time.sleep((pause or 0.0) + _PAUSE_SECONDS * 2**attempt * jitter)

    def _problem(self, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        if media_type == _PROBLEM:
            try:
                return dict(json.loads(response.data))
            except (ValueError, TypeError):
                return {}
        if response.status < 400:
            where = response.headers.get("Location", "elsewhere")
            raise unreachable(self.uri, f"it sends to {where}: use that address")
        if response.status == 404:
            raise unreachable(self.uri, "what answers there is no server of ModelKB's")
        if response.status == 413:
            raise ServerRefusedError(self.uri, "what was sent is too large for it.")
        return {}

    def _opened(self) -> urllib3.PoolManager:
        """Return the connections of this process: those of another one are not to be shared."""
        with self._lock:
            if self._pool is None or self._pool[0] != os.getpid():
                limits = urllib3.Timeout(
                    connect=self._patience.connect_seconds, read=self._patience.silence_seconds
                )
                self._pool = os.getpid(), open_pool(self._address, limits)
            return self._pool[1]


def path_of(*parts: str) -> str:
    """Return a path of the API from its parts, each of them any text.

    Example:
        >>> path_of("experiments", "a/b")
        '/experiments/a%2Fb'
    """
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _json_of(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _query_of(query: Mapping[str, Any] | None) -> str:
    known = {name: value for name, value in (query or {}).items() if value is not None}
    pairs = [
        f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in known.items()
    ]
    return f"?{'&'.join(pairs)}" if pairs else ""


def _retry_after(response: urllib3.BaseHTTPResponse) -> float | None:
    """Return for how many seconds a server wants to be left alone, if it says so."""
    told = response.headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
