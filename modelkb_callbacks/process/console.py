"""What a run prints, copied while it goes to where it always goes."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from modelkb_callbacks.redacted_text import redacted_text

LIMIT_BYTES = 10 << 20
_LONGEST_LINE = 1 << 16  # characters; a longer one is kept in parts
_ESCAPE_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_])")
_ABSENT = object()


class ConsoleCapture:
    r"""Copies what is written to ``sys.stdout`` and ``sys.stderr`` while it is on.

    The streams stay the objects that they are, so that ``isatty``, ``encoding``, ``fileno``
    and all that holds a reference to them (logging handlers, progress bars) work as before;
    only their ``write`` is covered, and uncovered again. What the user's code puts in their
    place meanwhile (``contextlib.redirect_stdout``) is its own business and not copied, nor
    is what libraries write to the file descriptors past Python, or child processes print.

    Of a line that is drawn over and over, as progress bars are, the last state is kept.
    Colours and the like are left out.

    Args:
        limit_bytes: How much is kept, from the beginning; a note says when there was more.

    Attributes:
        text: After :meth:`stop`, what was printed, without what looks like a credential.

    Example:
        >>> with ConsoleCapture() as console:
        ...     print("loss", 0.1)
        >>> console.text
        'loss 0.1\n'
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._is_full = False
        self._covers: list[_Cover] = []
        self._lines: list[_Line] = []
        # The same thread can come back in: a signal handler that prints.
        self._lock = threading.RLock()
        self._process_id = os.getpid()
        self.text = ""

    def start(self) -> None:
        """Begin to copy.

        Raises:
            OSError: There is no room for a temporary file.
        """
        # Without a name where the system can, so that nobody else finds what was printed.
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - open until stop
        streams = {id(stream): stream for stream in (sys.stdout, sys.stderr) if stream is not None}
        for stream in streams.values():
            line = _Line(self._keep)
            cover = _Cover(stream, self._taker(line))
            if cover.put():
                self._covers.append(cover)
                self._lines.append(line)

    def stop(self) -> str:
        """Stop copying, and return :attr:`text`; a second time changes nothing."""
        if self._file.closed:
            return self.text
        for cover in self._covers:
            cover.take_away()
        if os.getpid() != self._process_id:  # the file is the parent's
            return self.text
        with self._lock, self._file:
            for line in self._lines:
                line.end_if_begun()
            self._file.seek(0)
            printed = self._file.read().decode("utf-8", "replace")
        if self._is_full:
            printed += f"[cut: more than {self._limit / (1 << 20):g} MiB was printed]\n"
        self.text = redacted_text(printed)
        return self.text

    def __enter__(self) -> ConsoleCapture:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _taker(self, line: _Line) -> Callable[[str], None]:
        def take(text: str) -> None:
            # A forked child would write into the parent's file.
            if self._is_full or os.getpid() != self._process_id:
                return
            with self._lock:
                line.add(text)

        return take

    def _keep(self, line: str) -> None:
        encoded = f"{_ESCAPE_SEQUENCE.sub('', line)}\n".encode("utf-8", "backslashreplace")
        if self._is_full or self._file.closed:
            return
        if self._size + len(encoded) > self._limit:
            self._is_full = True
            return
        self._size += len(encoded)
        self._file.write(encoded)


class _Line:
    """The line that a stream is writing, as a terminal would show it."""

    def __init__(self, keep: Callable[[str], None]) -> None:
        self._keep = keep
        self._parts: list[str] = []
        self._length = 0
        self._is_returned = False  # to its beginning, to be drawn over

    def add(self, text: str) -> None:
        *whole, rest = text.split("\n")
        for piece in whole:
            self._draw(piece)
            self._end()
        self._draw(rest)

    def end_if_begun(self) -> None:
        if self._parts:
            self._end()

    def _draw(self, piece: str) -> None:
        first, *others = piece.replace("\b", "").split("\r")
        self._show(first)
        for other in others:
            self._is_returned = True
            self._show(other)

    def _show(self, text: str) -> None:
        if not text:
            return
        if self._is_returned:
            self._parts, self._length, self._is_returned = [], 0, False
        self._parts.append(text)
        self._length += len(text)
        if self._length > _LONGEST_LINE:
            self._end()

    def _end(self) -> None:
        self._keep("".join(self._parts))
        self._parts, self._length, self._is_returned = [], 0, False


class _Cover:
    """Stands for a stream's ``write``: passes on, and lets a copy be taken."""

    def __init__(self, stream: Any, take: Callable[[str], None]) -> None:
        self._stream = stream
        self._take: Callable[[str], None] | None = take
        self._covered: Any = _ABSENT
        self._write: Callable[..., Any] = stream.write

    def put(self) -> bool:
        """Cover the stream's ``write``; return whether the stream lets it be covered."""
        try:
            self._covered = vars(self._stream).get("write", _ABSENT)
            self._stream.write = self
        except (TypeError, AttributeError):  # a class with slots
            return False
        return True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        written = self._write(*args, **kwargs)
        take = self._take
        if take is not None and args and isinstance(args[0], str):
            try:
                take(args[0])
            except Exception:  # noqa: BLE001 - a full disk; the user's print goes on
                self._take = None
        return written

    def take_away(self) -> None:
        """Take no more copies, and uncover the stream as far as others let it."""
        self._take = None
        attributes = vars(self._stream)
        # One that began before this one and ended earlier has left its cover below.
        while isinstance(top := attributes.get("write"), _Cover) and top._take is None:
            if top._covered is _ABSENT:
                del attributes["write"]
            else:
                attributes["write"] = top._covered
