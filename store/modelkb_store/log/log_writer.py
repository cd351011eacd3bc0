"""Appending to the log of a running experiment."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from modelkb_store.log.entry import Action, Columns, encode_entry
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity

# What waits for space on a full disk; beyond it the oldest curves by batch would fill memory.
_MOST_WAITING_BYTES = 64 << 20


class LogWriter:
    """One segment of a log, open for appending. Threads may share it.

    An entry is handed to the operating system at once, so that the end of the process, however
    it comes, loses nothing; :meth:`sync` makes it safe from a power failure, too. Entries that
    the disk does not take wait for the next ones.

    Args:
        root: The store's folder.
        name: The log.
        number: The segment, from 0.
        begin: What the first line says: experiment, project and format.

    Raises:
        FileExistsError: The segment is there already.
        OSError: The folder cannot be written.
    """

    def __init__(self, root: Path, name: LogName, number: int, begin: Columns) -> None:
        self.name = name
        self.number = number
        self.path = root / name.segment(number)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._waiting: list[bytes] = []
        self._size = 0
        self._synced = 0
        # Before there is a file: of one without its first line nobody can tell whose it was.
        process = ProcessIdentity.of_this_process().as_columns()
        facts = {"segment": number, "begun": time.time(), "process": process}
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self.path, flags, 0o666)
        try:
            self.append(Action.BEGIN, "", {**begin, **facts})
        except BaseException:
            self.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise

    @property
    def size_bytes(self) -> int:
        """How much has been written."""
        return self._size

    @property
    def synced_bytes(self) -> int:
        """How much of it is safe from a power failure."""
        return self._synced

    @property
    def is_synced(self) -> bool:
        """Whether all entries are written, and safe from a power failure."""
        return not self._waiting and self._synced == self._size

    def append(self, action: Action, table: str, columns: Columns) -> None:
        """Append an entry.

        Raises:
            OSError: The disk is full or cannot be written; the entry waits for the next one.
            ValueError, TypeError: The columns cannot be JSON; nothing is written.
        """
        line = encode_entry(action, table, columns)
        with self._lock:
            self._waiting.append(line)
            self.write_waiting()

    def write_waiting(self) -> None:
        """Write entries that the disk did not take before.

        Raises:
            OSError: It still does not.
        """
        with self._lock:
            while self._waiting:
                self._write(self._waiting[0])
                self._waiting.pop(0)

    def sync(self) -> None:
        """Make everything written so far safe from a power failure."""
        with self._lock:
            size, file = self._size, os.dup(self._file)
        try:
            os.fsync(file)
        finally:
            os.close(file)
        self._synced = max(self._synced, size)

    def touch(self) -> None:
        """Show others that the process lives."""
        os.utime(self.path)

    @property
    def is_there(self) -> bool:
        """Whether the file is still in its place; else somebody took this process for dead."""
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # a file system that cannot be reached for a while
        try:
            return os.path.samestat(found, os.fstat(self._file))
        except OSError:
            return False

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._lock, contextlib.suppress(OSError):
            os.close(self._file)

    def _write(self, line: bytes) -> None:
        try:
            written = 0
            while written < len(line):  # a disk that is just full takes a part
                written += os.write(self._file, line[written:])
        except OSError:
            # No half lines: what comes later would be taken for their end.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            while sum(map(len, self._waiting)) > _MOST_WAITING_BYTES:
                self._waiting.pop(0)
            raise
        self._size += len(line)
