"""Recording into a bucket: written to this machine's disk, and sent as the network allows.

A spool is a folder per remote store. Logs and new objects are written there as into a store; a
thread sends them, and makes Parquet files of the logs in the remote store. What a process could
not send is sent by the next that records into the same store, or by ``modelkb push``.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from modelkb_store.commits.compaction import compact_as_runs_end
from modelkb_store.errors import ModelKBError
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.files.open_files import is_remote, open_files
from modelkb_store.layout import create_store
from modelkb_store.log.claim import claimed
from modelkb_store.log.folding import fold, mirror, seal
from modelkb_store.log.log_contents import LogContents, read_heads, read_logs
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.table_file import encode_rows

SPOOL_VARIABLE = "MODELKB_SPOOL"
_SIGN_OF_LIFE_SECONDS = 30.0
_PAUSE_AFTER_FAILURE_SECONDS = 2.0
_BETWEEN_LOOKS_SECONDS = 0.2
# How long the end of a process waits for a network that is away.
_PATIENCE_AT_EXIT_SECONDS = 20.0
# What later runs look up here, without asking the network.
_REMEMBERED = ("variables", "trained_weights")

_log = logging.getLogger(__name__)


def spool_folder(location: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder for what waits to be sent to a remote store.

    It is in ``$MODELKB_SPOOL``, else in the user's folder for caches.
    """
    environment = os.environ if environ is None else environ
    name = hashlib.sha256(location.encode()).hexdigest()[:16]
    chosen = environment.get(SPOOL_VARIABLE)
    return (Path(chosen).expanduser() if chosen else _cache_folder(environment)) / name


class Spool:
    """What a process records for a remote store; see :class:`LogHome`.

    Args:
        files: The spool's folder.
        open_remote: Opens the remote store; called by the thread that sends.
        sends_by_itself: Whether to send in a thread; else :meth:`send` does.

    Attributes:
        files: As above.
        problem: Why nothing could be sent the last time, or None.
    """

    def __init__(
        self,
        files: LocalFiles,
        open_remote: Callable[[], Files],
        *,
        sends_by_itself: bool = True,
    ) -> None:
        self.files = files
        self.problem: str | None = None
        self._open_remote = open_remote
        self._remote: Files | None = None
        self._ended: set[LogName] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        if sends_by_itself and self.is_waiting:
            self._start()

    @property
    def is_waiting(self) -> bool:
        """Whether runs that ended are not sent yet."""
        return bool(self._waiting())

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
        """Return True: what is sent is in the remote store, where packs are never collected."""
        return True

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
        if self._remote is None:
            remote = self._open_remote()
            create_store(remote)
            self._remote = remote
        self._send_objects(self._remote)
        for log in self._logs():
            with claimed(self.files, log.name) as is_mine:
                if is_mine and self.files.exists(log.name.segment(log.segments[-1].number)):
                    self._send_log(self._remote, log)
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

    def _send_objects(self, remote: Files) -> None:
        for info in self.files.list("objects"):
            with contextlib.suppress(FileNotFoundError):  # another process has sent it
                if remote.exists(info.path):
                    self.files.delete(info.path)
                else:
                    remote.write_file(info.path, self.files.local_path(info.path))

    def _send_log(self, remote: Files, log: LogContents) -> None:
        has_ended = log.name in self._ended or not log.is_alive
        for segment in log.segments:
            # Also where nothing is new, as a sign of life.
            path = log.name.segment(segment.number)
            remote.write(path, self.files.read(path))
        if has_ended:
            if fold(remote, log.name):
                self._forget(log)
                compact_as_runs_end(remote, log.name.project_folder)
            return
        full = log.segments[:-1]
        if not full:
            mirror(remote, log.name)
            return
        seal(remote, log.name, full[-1].number)
        for segment in full:
            self.files.delete(log.name.segment(segment.number))

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
                if not self._logs():
                    return
                pause = _SIGN_OF_LIFE_SECONDS
            except (OSError, ModelKBError) as error:
                self.problem = f"{type(error).__name__}: {error}"
                _log.debug("could not send to the remote store", exc_info=error)
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            if not self._pause(pause):
                until = min(until, time.monotonic() + _PATIENCE_AT_EXIT_SECONDS)
                if time.monotonic() > until or (self.problem is None and not self.is_waiting):
                    return
                time.sleep(_BETWEEN_LOOKS_SECONDS)

    def _pause(self, seconds: float) -> bool:
        """Wait for the next time to send; returns False if the program has come to its end."""
        until = time.monotonic() + seconds
        while threading.main_thread().is_alive():
            if self._wake.wait(_BETWEEN_LOOKS_SECONDS) or time.monotonic() > until:
                return True
        return False


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
    spool = Spool(LocalFiles(folder), lambda: open_files(location), sends_by_itself=False)
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
