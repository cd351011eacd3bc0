"""Recording into a bucket or to a server: written here, and sent as the network allows.

A spool is a folder per remote store. Logs and new objects are written there as into a store; a
thread sends them. What a process could not send is sent by the next that records into the same
store, or by ``modelkb push``.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from modelkb_store import atomic_file
from modelkb_store.errors import (
    InvalidLogError,
    InvalidObjectError,
    ModelKBError,
    ServerRefusedError,
)
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import is_remote, is_server, open_files
from modelkb_store.log.claim import claimed
from modelkb_store.log.entry import Columns
from modelkb_store.log.log_contents import LogContents, read_heads, read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.server.address import ServerAddress
from modelkb_store.table_file import encode_rows
from modelkb_store.transfer.delay import Delay
from modelkb_store.transfer.destination import BucketDestination, Destination

SPOOL_VARIABLE = "MODELKB_SPOOL"
_SIGN_OF_LIFE_SECONDS = 30.0
_PROMPT_SECONDS = 3.0
_BETWEEN_LOOKS_SECONDS = 0.2
# Collecting garbage spares what is younger than an hour.
_SURELY_THERE_SECONDS = 1800.0
# What later runs look up here, without asking the network.
_REMEMBERED = ("variables", "trained_weights")

_log = logging.getLogger(__name__)


def spool_folder(location: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder for what waits to be sent to a remote store.

    It is in ``$MODELKB_SPOOL``, else in the user's folder for caches.
    """
    environment = os.environ if environ is None else environ
    # Whatever token it is reached with, a server is one store.
    place = ServerAddress.parse(location).uri if is_server(location) else location
    name = hashlib.sha256(place.encode()).hexdigest()[:16]
    chosen = environment.get(SPOOL_VARIABLE)
    return (Path(chosen).expanduser() if chosen else _cache_folder(environment)) / name


class Spool:
    """What a process records for a remote store; see :class:`LogHome`.

    Args:
        files: The spool's folder.
        open_destination: Opens the remote store; called by the thread that sends.
        facts: What logs are to say of themselves.
        is_prompt: Whether it is a server: sending costs so little that runs are shown at once.
        uri: Its address without credentials, for people.
        sends_by_itself: Whether to send in a thread; else :meth:`send` does.

    Attributes:
        files: As above.
        facts: As above.
        problem: Why nothing could be sent the last time, or None.
    """

    def __init__(
        self,
        files: LocalFiles,
        open_destination: Callable[[], Destination],
        *,
        facts: Columns | None = None,
        is_prompt: bool = False,
        uri: str = "ADDRESS",
        sends_by_itself: bool = True,
    ) -> None:
        self.files = files
        self.facts = facts or {}
        self.problem: str | None = None
        self._uri = uri
        self._delay = Delay()
        self._open_destination = open_destination
        self._destination: Destination | None = None
        self._is_prompt = is_prompt
        self._ended: set[LogName] = set()
        self._sent_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        if sends_by_itself and self.is_waiting:
            self._start()

    @property
    def is_waiting(self) -> bool:
        """Whether runs that ended are not sent yet."""
        return bool(self._waiting())

    def begun(self, name: LogName) -> None:
        """Have the log sent soon, if that costs little."""
        if self._is_prompt:
            self._start()

    def mirror(self, name: LogName) -> None:
        """Have what the log says so far sent."""
        self._start()

    def seal(self, name: LogName, number: int) -> None:
        """Have a full segment sent; it stays until then."""
        self._start()

    def fold(self, name: LogName) -> None:
        """Have the log sent, and folded there."""
        with self._lock:
            self._ended.add(name)
        self._start()

    def tidy(self, project_folder: str) -> None:
        """Leave it to the thread that sends, once all is sent."""

    def holds(self, path: str) -> bool:
        """Return whether an object is there, as far as can be known without asking.

        In a bucket packs are never collected. On a server they may be, but for new ones.
        """
        if not self._is_prompt or atomic_file.touch(self.files.local_path(path)):
            return True
        sent = self._sent_at.get(path)
        return sent is not None and time.monotonic() - sent < _SURELY_THERE_SECONDS

    def complaint(self, *, is_over: bool = False) -> str | None:
        """Return, once, why what is recorded does not arrive, if the user should know."""
        return self._complaint(self._delay.reason(is_over=is_over))

    def wait(self, seconds: float) -> bool:
        """Return whether everything that ended is sent, at the latest after a while."""
        until = time.monotonic() + seconds
        while self.is_waiting:
            if time.monotonic() > until:
                return False
            self._start()
            time.sleep(0.05)
        return True

    def send(self) -> None:
        """Send what waits, in the thread that calls.

        Raises:
            OSError: The network or the remote store is away; nothing is lost.
            ModelKBError: The remote place is no store, or of a newer format.
        """
        if self._destination is None:
            self._destination = self._open_destination()
        destination = self._destination
        refused: list[ModelKBError] = []
        # Before the objects: what a log refers to that has ended by now is among these.
        with self._lock:
            ended = set(self._ended)
        logs = [(log, log.name in ended or not log.is_alive) for log in self._logs()]
        sent = self._send_objects(destination, refused)
        for log, has_ended in logs:
            with claimed(self.files, log.name) as is_mine, _collected(refused):
                last = log.name.segment(log.segments[-1].number)
                if not is_mine or not self.files.exists(last):
                    continue
                if destination.send_log(self.files, log, has_ended=has_ended):
                    self._forget(log)
        if refused:
            raise refused[0]
        for path in sent:
            local = self.files.local_path(path)
            if local.exists():  # until now rows did not refer to it, so it may be gone there
                destination.send_object(path, local)
            self._sent_at[path] = time.monotonic()
            self.files.delete(path)
        self.problem = None

    def _waiting(self) -> list[LogContents]:
        """Return the logs to which nothing will be added."""
        return [log for log in self._logs() if log.name in self._ended or not log.is_alive]

    def _logs(self) -> list[LogContents]:
        """Return the logs that this process is to send: its own, and those of dead ones."""
        mine = ProcessIdentity.of_this_process()
        return [
            log
            for log in read_heads(self.files)
            if ProcessIdentity.from_columns(log.begin.get("process") or {}) == mine
            or not log.is_alive
        ]

    def _send_objects(self, destination: Destination, refused: list[ModelKBError]) -> list[str]:
        """Send files of content, and return those that are there."""
        sent = []
        for info in self.files.list("objects"):
            # Another process may have sent it.
            with contextlib.suppress(FileNotFoundError), _collected(refused):
                destination.send_object(info.path, self.files.local_path(info.path))
                sent.append(info.path)
        return sent

    def _forget(self, log: LogContents) -> None:
        for table in _REMEMBERED:
            rows = pa.concat_tables(
                each.added(table) for each in read_logs(self.files, log.name.log_id)
            )
            if rows.num_rows:
                path = f"{table}/{log.name.project_folder}/{log.name.stem(0)}.parquet"
                self.files.write(path, memoryview(encode_rows(table, rows)))
        for segment in log.segments:
            self.files.delete(log.name.segment(segment.number))
        with self._lock:
            self._ended.discard(log.name)

    def _start(self) -> None:
        with self._lock:
            self._wake.set()
            if self._thread is None or not self._thread.is_alive():
                # No daemon: the end of the process waits for it, with patience that ends.
                self._thread = threading.Thread(target=self._keep_sending, name="modelkb-spool")
                self._thread.start()

    def _keep_sending(self) -> None:
        until = float("inf")
        while True:
            self._wake.clear()
            try:
                self.send()
                self._delay.end()
                if not self._logs() and self._leaves():
                    return
                pause = _PROMPT_SECONDS if self._is_prompt else _SIGN_OF_LIFE_SECONDS
            except (OSError, ModelKBError) as error:
                self.problem = f"{type(error).__name__}: {error}"
                _log.debug("could not send to the remote store", exc_info=error)
                self._delay.note(error)
                pause = self._delay.pause_seconds
            if not self._pause(pause):
                until = min(until, time.monotonic() + self._delay.patience_seconds)
                if time.monotonic() > until or (self.problem is None and not self.is_waiting):
                    self._take_leave()
                    return
                time.sleep(_BETWEEN_LOOKS_SECONDS)

    def _leaves(self) -> bool:
        """Return whether the thread may end: who has something to send starts another one."""
        with self._lock:
            if self._wake.is_set():
                return False
            self._thread = None
            return True

    def _take_leave(self) -> None:
        """Say what is left, if nobody has said it."""
        if (complaint := self._complaint(self._delay.reason(is_left=True))) is not None:
            _log.warning("ModelKB %s", complaint)

    def _complaint(self, reason: str | None) -> str | None:
        if reason is None:
            return None
        return (
            f"could not send to the store yet: {reason} Nothing is lost: it is sent when that is "
            f"mended, at the latest by `modelkb push {self._uri}`."
        )

    def _pause(self, seconds: float) -> bool:
        """Wait for the next time to send; returns False if the program has come to its end."""
        until = time.monotonic() + seconds
        while threading.main_thread().is_alive():
            if self._wake.wait(_BETWEEN_LOOKS_SECONDS) or time.monotonic() > until:
                return True
        return False


def open_spool(location: str, *, sends_by_itself: bool = True) -> Spool:
    """Return the spool of a remote store; see :class:`Spool`."""
    files = LocalFiles(spool_folder(location))
    if not is_server(location):
        return Spool(
            files,
            lambda: BucketDestination(open_files(location)),
            sends_by_itself=sends_by_itself,
        )
    # Inside: only who has a server needs its library.
    from modelkb_store.server.connection import Connection
    from modelkb_store.server.server_destination import FACTS, PATIENCE, ServerDestination

    return Spool(
        files,
        lambda: ServerDestination(Connection(location, PATIENCE)),
        facts=FACTS,
        is_prompt=True,
        uri=ServerAddress.parse(location).uri,
        sends_by_itself=sends_by_itself,
    )


@contextlib.contextmanager
def _collected(refused: list[ModelKBError]) -> Iterator[None]:
    """Note what a server refuses for good, so that all else is sent."""
    try:
        yield
    except (InvalidLogError, InvalidObjectError, ServerRefusedError) as error:
        refused.append(error)


def send_spool(location: str) -> bool:
    """Send what runs of this machine could not send to a remote store, and wait for it.

    Returns:
        Whether there was something.

    Raises:
        OSError: The network or the remote store is away; nothing is lost.
        ModelKBError: The remote place is no store, or of a newer format.
    """
    folder = spool_folder(location)
    if not is_remote(location) or not folder.is_dir():
        return False
    spool = open_spool(location, sends_by_itself=False)
    was_waiting = spool.is_waiting
    if was_waiting:
        spool.send()
    return was_waiting


def _cache_folder(environ: Mapping[str, str]) -> Path:
    if os.name == "nt":
        return Path(environ.get("LOCALAPPDATA", "~")).expanduser() / "modelkb" / "spool"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/modelkb/spool").expanduser()
    return Path(environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "modelkb" / "spool"
