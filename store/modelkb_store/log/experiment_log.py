"""The log of a running experiment, with the thread that keeps it safe and shows it to others."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from modelkb_store.log.entry import Action, Columns, check_columns, columns_of
from modelkb_store.log.log_home import LogHome
from modelkb_store.log.log_name import LogName
from modelkb_store.log.log_writer import LogWriter

_MIRROR_AFTER_SECONDS = 20.0  # FORMAT.md promises 30
_SIGN_OF_LIFE_SECONDS = 10.0
_FULL_SEGMENT_BYTES = 4 << 20
_LONGEST_WAIT_FOR_DISK_SECONDS = 10.0
_LONGEST_WAIT_AT_EXIT_SECONDS = 30.0

_log = logging.getLogger(__name__)
_of_this_process: weakref.WeakSet[ExperimentLog] = weakref.WeakSet()


class ExperimentLog:
    """What one process writes of an experiment, entry by entry.

    An entry survives the process as soon as it is appended. A thread makes it safe from a power
    failure at once, mirrors the log into Parquet files every 20 seconds, and begins another
    segment where one has grown large. Threads may share it.

    Args:
        home: Where it lies, and where its rows go.
        name: The log.
        experiment_id: The experiment; None for predictions of an unknown model.
        closes_when_idle: After how many seconds without an entry it is folded by itself; it
            then is at the end of the process, too.

    Raises:
        OSError: The store cannot be written.
    """

    def __init__(
        self,
        home: LogHome,
        name: LogName,
        experiment_id: str | None,
        *,
        closes_when_idle: float | None = None,
    ) -> None:
        self.name = name
        self._home = home
        self._begin: Mapping[str, Any] = {"experiment_id": experiment_id, **home.facts}
        self._closes_when_idle = closes_when_idle
        self._put: dict[str, Columns] = {}
        self._process_id = os.getpid()
        self._changed = threading.Condition(threading.RLock())
        self._writer = LogWriter(home.files.root, name, 0, self._begin)
        self._barrier = 0
        self._is_open = True
        self._is_left = False
        self._is_lost = False
        self._mirrored = (time.monotonic(), 0)
        self._appended_at = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name="modelkb-log", daemon=True)
        self._thread.start()
        _of_this_process.add(self)
        home.begun(name)

    def add(self, table: str, records: Sequence[Any]) -> bool:
        """Append rows to a table; see :meth:`append`.

        Raises:
            ValueError, TypeError: A record has a value that its column cannot hold.
        """
        return not records or self.append(Action.ADD, table, _checked(table, records))

    def put(self, table: str, records: Sequence[Any]) -> bool:
        """Give the experiment these rows of a table, in place of earlier ones."""
        return self.append(Action.PUT, table, _checked(table, records))

    def append(self, action: Action, table: str, columns: Columns) -> bool:
        """Append an entry.

        Returns:
            False if the log is closed, or another process has taken this one for dead and
            folded it: go on in a further one.

        Raises:
            OSError: The disk does not take it now; it is written with the next entry.
        """
        with self._changed:
            self._is_lost = self._is_lost or not self._writer.is_there
            if not self._is_open or self._is_lost:
                return False
            if action is Action.PUT:
                self._put[table] = columns
            self._appended_at = time.monotonic()
            try:
                self._writer.append(action, table, columns)
            finally:
                self._changed.notify()
            return True

    def wait_for_disk(self) -> None:
        """Wait until all that was there when this was called last is safe from a power failure.

        Called at the end of each epoch, it waits for what was said at the end of the one
        before, which is long done, unless the disk hangs.
        """
        with self._changed:
            wanted, self._barrier = self._barrier, self._writer.size_bytes
            writer = self._writer
            self._changed.wait_for(
                lambda: (
                    writer.synced_bytes >= min(wanted, writer.size_bytes)
                    or writer is not self._writer
                    or self._is_lost  # nobody looks after it any more
                ),
                _LONGEST_WAIT_FOR_DISK_SECONDS,
            )

    @property
    def is_open(self) -> bool:
        """Whether it can be appended to; another process may have taken it away."""
        return self._is_open

    def close(self) -> None:
        """Fold the log into Parquet files; nothing can be appended any more.

        Raises:
            OSError, ModelKBError: They cannot be written now. The log is whole on disk, as far as
                the disk took it, and the next who opens the store will fold it.
        """
        # Before the lock: a thread that a fork has left behind may hold it for ever.
        if self._process_id != os.getpid():
            return
        with self._changed:
            if not self._is_open:
                return
            self._is_open = False
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()  # it may be writing the very files that come now
        try:
            # From here on others may fold it as well.
            self._writer.append(Action.END, "", {})
            self._writer.sync()
        finally:
            self._writer.close()
        self._home.fold(self.name)

    def leave(self) -> None:
        """End with the process: fold the log if it closes by itself, and stop its thread.

        A thread that Arrow has at work when Python is gone aborts the process.
        """
        if self._process_id != os.getpid():
            return
        try:
            if self._closes_when_idle is not None:
                self.close()
        except Exception as error:  # noqa: BLE001 - the next one who opens the store folds it
            _log.debug("the log %s could not be folded", self.name, exc_info=error)
        with self._changed:
            self._is_left = True
            self._changed.notify_all()
        self._thread.join(_LONGEST_WAIT_AT_EXIT_SECONDS)

    def _keep(self) -> None:
        while True:
            with self._changed:
                if self._is_open and not self._is_left and self._writer.is_synced:
                    self._changed.wait(self._closes_when_idle or _SIGN_OF_LIFE_SECONDS)
                if self._is_left or not self._is_open:
                    return
                writer = self._writer
            if not writer.is_there:
                # Somebody took this process for dead; the next entry goes elsewhere.
                with self._changed:
                    self._is_lost = True
                    self._changed.notify_all()
                return
            try:
                self._look_after(writer)
            # Whatever it is, the training and the next look go on.
            except Exception as error:  # noqa: BLE001
                _log.debug("the log %s could not be looked after", self.name, exc_info=error)
                time.sleep(1.0)

    def _look_after(self, writer: LogWriter) -> None:
        if writer.is_synced:
            writer.touch()
        else:
            writer.write_waiting()
            writer.sync()
            with self._changed:
                self._changed.notify_all()
        since, size = self._mirrored
        if writer.size_bytes > _FULL_SEGMENT_BYTES:
            self._begin_segment(writer)
        elif time.monotonic() - since > _MIRROR_AFTER_SECONDS and writer.size_bytes != size:
            self._mirrored = (time.monotonic(), writer.size_bytes)
            self._home.mirror(self.name)
        idle = time.monotonic() - self._appended_at
        if self._closes_when_idle is not None and idle > self._closes_when_idle:
            self.close()

    def _begin_segment(self, full: LogWriter) -> None:
        """Go on in another file, and leave what is in the full one to Parquet files."""
        following = LogWriter(self._home.files.root, self.name, full.number + 1, self._begin)
        with self._changed:
            try:
                for table, columns in self._put.items():
                    following.append(Action.PUT, table, columns)
                full.write_waiting()
                full.sync()
            except BaseException:
                following.close()
                following.path.unlink()
                raise
            self._writer, self._barrier = following, 0
            self._changed.notify_all()
        full.close()
        self._home.seal(self.name, full.number)
        self._mirrored = (time.monotonic(), 0)


def _checked(table: str, records: Sequence[Any]) -> Columns:
    """Return the columns of records; a reader would pass over a line that has wrong types."""
    columns = columns_of(table, records)
    check_columns(table, columns)
    return columns


@atexit.register
def _leave_all() -> None:
    for log in list(_of_this_process):
        log.leave()
