"""The log of who has changed what through a server: files of JSON lines below ``audit/``."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import logging
import os
import queue
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

from modelkb_store.errors import ModelKBError
from modelkb_store.files.files import Files
from modelkb_store.layout import AUDIT_FOLDER, audit_day, audit_file

_PAUSE_SECONDS = 0.2
# In a bucket each write makes a file.
_BUCKET_PAUSE_SECONDS = 10.0
_REPEATS_SECONDS = 300.0
_IDLE_SECONDS = 5.0
# More wait only where the disk takes nothing any more.
_MOST_WAITING = 100_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """That somebody has changed something, or was not allowed to.

    Attributes:
        at: When it was answered.
        token_id: With which token; None without one.
        token_name: How the token was called.
        address: From which network address.
        method: ``PUT``, ``POST``, ``PATCH`` or ``DELETE``.
        route: What was asked for, as the API's description has it.
        parameters: What it was about: ``project``, ``experiment_id``, ..
        status: What was answered: below 300 it was done.
        count: How often, from ``at`` to ``until``.
        until: When it was answered the last time, if more than once.
    """

    at: datetime
    token_id: str | None
    token_name: str | None
    address: str
    method: str
    route: str
    parameters: Mapping[str, str] = field(hash=False)
    status: int
    count: int = 1
    until: datetime | None = None

    def line(self) -> bytes:
        """Return it as a line of a file."""
        known = {name: getattr(self, name) for name in _NAMES}
        known["at"] = self.at.isoformat()
        known["until"] = None if self.until is None else self.until.isoformat()
        return json.dumps(known, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> AuditEntry:
        """Return what a line says.

        Raises:
            ValueError: It is no entry, or only a part of one.
        """
        try:
            known: dict[str, Any] = {name: json.loads(line)[name] for name in _NAMES}
            until = known["until"]
            known["at"] = datetime.fromisoformat(known["at"])
            known["until"] = None if until is None else datetime.fromisoformat(until)
            known["parameters"] = dict(known["parameters"])
            return cls(**known)
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error

    def what(self) -> tuple[object, ...]:
        """Return what is equal in entries that say the same."""
        return (
            *(getattr(self, name) for name in _SAME),
            *sorted(self.parameters.items()),
        )


_NAMES = tuple(each.name for each in dataclasses.fields(AuditEntry))
_SAME = ("token_id", "token_name", "address", "method", "route", "status")


class AuditLog:
    """Writes entries into a store, by a thread: whoever adds one waits for nothing.

    They are on disk a moment later; a process that is killed loses what came in its last second.
    What repeats (a run that is sent piece by piece) is written at once, and then once in five
    minutes with how often.

    Args:
        files: The store.

    Example:
        >>> log = AuditLog(files)
        >>> log.add(entry)
        >>> log.flush()
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._writer = secrets.token_hex(5)
        self._lock = threading.Lock()  # held for no longer than a moment: who adds takes it
        self._writing = threading.Lock()
        self._waiting: queue.Queue[AuditEntry | threading.Event] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._repeats: dict[tuple[object, ...], _Repeat] = {}
        self._number = 0
        self._failed: list[AuditEntry] = []
        self._torn: dict[str, int] = {}  # where what is whole ends, of files with a failed write
        in_bucket = files.local_path("") is None
        self._pause = _BUCKET_PAUSE_SECONDS if in_bucket else _PAUSE_SECONDS
        atexit.register(self.close)

    def add(self, entry: AuditEntry) -> None:
        """Have an entry written."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            _log.error("The audit log of %s is full: %s is not in it", self._files.uri, entry)
        self._start()

    def flush(self) -> None:
        """Wait until what was added is written."""
        with self._lock:
            if self._thread is None:
                return
        is_written = threading.Event()
        self._waiting.put(is_written)
        self._start()
        is_written.wait(_BUCKET_PAUSE_SECONDS)

    def close(self) -> None:
        """Write all that there is, also how often something was repeated so far."""
        self.flush()
        with self._writing:
            repeats, self._repeats = self._repeats, {}
            counted = [each.entry() for each in repeats.values() if each.count]
            self._write([*self._failed, *counted])

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="modelkb-audit", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            entries, waiters = self._collected()
            with self._writing:
                self._write([*self._failed, *self._new(entries), *self._due()])
            for each in waiters:
                each.set()
            with self._lock:
                left = self._repeats or self._failed or self._waiting.qsize()
                if not (entries or waiters or left):
                    self._thread = None
                    return

    def _collected(self) -> tuple[list[AuditEntry], list[threading.Event]]:
        """Wait for entries, and a little for more of them."""
        entries: list[AuditEntry] = []
        end = time.monotonic() + _IDLE_SECONDS
        while (left := end - time.monotonic()) > 0:
            try:
                item = self._waiting.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(item, threading.Event):
                return entries, [item]
            if not entries:
                end = time.monotonic() + self._pause
            entries.append(item)
        return entries, []

    def _new(self, entries: list[AuditEntry]) -> Iterator[AuditEntry]:
        """Yield entries that say something new, and count the others."""
        for entry in entries:
            repeat = self._repeats.get(entry.what())
            if repeat is None:
                self._repeats[entry.what()] = _Repeat(entry)
                yield entry
            else:
                repeat.add(entry)

    def _due(self) -> Iterator[AuditEntry]:
        """Yield what was counted for long enough."""
        now = time.monotonic()
        for what, repeat in list(self._repeats.items()):
            if now - repeat.began >= _REPEATS_SECONDS:
                del self._repeats[what]
                if repeat.count:
                    yield repeat.entry()

    def _write(self, entries: list[AuditEntry]) -> None:
        self._failed = []
        days: dict[date, list[AuditEntry]] = {}
        for entry in entries:
            days.setdefault(entry.at.date(), []).append(entry)
        for day, of_day in days.items():
            try:
                self._append(day, b"".join(entry.line() for entry in of_day))
            except (OSError, ModelKBError) as error:
                _log.error("The audit log of %s cannot be written: %s", self._files.uri, error)
                self._failed += of_day[-_MOST_WAITING:]

    def _append(self, day: date, lines: bytes) -> None:
        path = audit_file(day, self._writer, self._number)
        local = self._files.local_path(path)
        if local is None:
            self._files.write(path, lines)
            self._number += 1
            return
        local.parent.mkdir(parents=True, exist_ok=True)
        with local.open("ab") as file:
            end = os.fstat(file.fileno()).st_size
            if path in self._torn:  # what came after that is among these lines again
                end = file.truncate(min(end, self._torn[path]))
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                self._torn[path] = end
                raise
        self._torn.pop(path, None)


class _Repeat:
    """How often something was done again, after it was written."""

    def __init__(self, first: AuditEntry) -> None:
        self.began = time.monotonic()
        self.count = 0
        self._first = self._last = first

    def add(self, entry: AuditEntry) -> None:
        """Count it."""
        self._first = self._first if self.count else entry
        self._last = entry
        self.count += 1

    def entry(self) -> AuditEntry:
        """Return all that were counted as one entry."""
        until = self._last.at if self.count > 1 else None
        return dataclasses.replace(self._first, count=self.count, until=until)


def read_audit(
    files: Files,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    project: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[AuditEntry]:
    """Return entries, the newest first.

    Args:
        files: The store.
        since: None before this time.
        until: None from this time on.
        project: Only those about this project.
        offset: How many to pass over.
        limit: No more than these.
    """
    days: dict[date, list[str]] = {}
    for info in files.list(AUDIT_FOLDER):
        day = audit_day(info.path)
        is_wanted = day is not None and (
            (since is None or day >= _utc(since).date())
            and (until is None or day <= _utc(until).date())
        )
        if day is not None and is_wanted:
            days.setdefault(day, []).append(info.path)
    found: list[AuditEntry] = []
    end = None if limit is None else offset + limit
    for day in sorted(days, reverse=True):
        of_day = [entry for path in days[day] for entry in _entries(files, path)]
        found += sorted(
            (
                entry
                for entry in of_day
                if (since is None or entry.at >= _utc(since))
                and (until is None or entry.at < _utc(until))
                and project in (None, entry.parameters.get("project"))
            ),
            key=lambda entry: entry.at,
            reverse=True,
        )
        if end is not None and len(found) >= end:
            break
    return found[offset:end]


def _entries(files: Files, path: str) -> Iterator[AuditEntry]:
    try:
        lines = files.read(path).splitlines()
    except FileNotFoundError:  # somebody has just deleted it
        return
    for line in lines:
        # The last one may be a part, where a server was killed.
        with contextlib.suppress(ValueError):
            yield AuditEntry.of_line(line)


def _utc(time_: datetime) -> datetime:
    return (
        time_.replace(tzinfo=timezone.utc)
        if time_.tzinfo is None
        else time_.astimezone(timezone.utc)
    )
