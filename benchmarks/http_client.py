"""A cheap HTTP client for benchmarks: it shares the processors with the server that it measures.

One connection is kept open and asked one thing at a time, as a browser or a program does.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes


class Client:
    """One connection to a server.

    Args:
        address: ``http://host:port``.
        token: The token to send, if any.
    """

    def __init__(self, address: str, token: str | None = None) -> None:
        parts = urlsplit(address)
        self._place = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._headers = f"Host: {parts.netloc}\r\n"
        if token is not None:
            self._headers += f"Authorization: Bearer {token}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return the whole answer."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        length = f"Content-Length: {len(body)}\r\n" if body or method != "GET" else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}{lines}{length}\r\n"
        message = head.encode() + body
        was_open = self._streams is not None
        try:
            return await self._sent(message)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            is_closed = not getattr(error, "partial", b"")
            if not (was_open and is_closed):
                raise
        # The server has closed it meanwhile, as it does with those that are not used for long.
        return await self._sent(message)

    async def _sent(self, message: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        reader, writer = self._streams
        try:
            writer.write(message)
            return await _read_answer(reader)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        body = b"".join(parts)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(status_line.split(" ", 2)[1]), body)


@dataclass
class Latencies:
    """How long answers took, by what was asked.

    Attributes:
        seconds: Of each answer.
        errors: What went wrong, in words.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def every(self) -> list[float]:
        """Return those of all."""
        return [each for found in self.seconds.values() for each in found]

    def print(self) -> None:
        """Print a line for each thing that was asked, and one for all."""
        print(f"  {'':22}{'requests':>9}{'errors':>7}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}  ms")
        for name in sorted(self.seconds.keys() | self.errors.keys()):
            _print_line(name, self.seconds[name], len(self.errors[name]))
        _print_line("all", self.every(), sum(map(len, self.errors.values())))
        for name, texts in self.errors.items():
            for text in sorted(set(texts))[:3]:
                print(f"  {name}: {text}")


def share(values: list[float], part: float) -> float:
    """Return what a part of values is below, such as 0.99 of them."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=1000, method="inclusive")[round(part * 1000) - 1]


def _print_line(name: str, seconds: list[float], errors: int) -> None:
    parts = [share(seconds, part) for part in (0.5, 0.95, 0.99)]
    figures = [*parts, max(seconds, default=float("nan"))]
    told = "".join(f"{each * 1e3:8.1f}" for each in figures)
    print(f"  {name:22}{len(seconds):9,}{errors:7}{told}")
