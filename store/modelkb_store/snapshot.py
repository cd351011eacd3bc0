"""One state of a store, as its readers see it, while others write, fold and compact."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TypeVar

from modelkb_store.commits.manifest import Manifest, latest_version, read_manifest
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.log.log_contents import LogContents, read_heads, read_logs
from modelkb_store.log.log_name import parse_segment

T = TypeVar("T")

_ATTEMPTS = 50
_LONGEST_PAUSE_SECONDS = 0.2


class OutdatedSnapshotError(Exception):
    """The store was changed between two looks at it; look again from the beginning."""


class Snapshot:
    """What counts in a store at one moment.

    Logs are read first, then the manifest, then the tables' folders. A listing is good if
    afterwards the manifest is the same and no log that was read is gone: so nothing was
    folded or compacted in between, and no row is missed or seen twice.

    Args:
        files: The store.
        reads_logs: Whether to read the rows of logs. Who only wants to know which files count
            is faster without.

    Attributes:
        logs: The logs of running experiments, and of those that died.
        manifest: Which compacted files count.
        deleted: Ids of experiments that are deleted and not yet collected.
    """

    def __init__(self, files: Files, *, reads_logs: bool = True) -> None:
        self.files = files
        self.logs: list[LogContents] = read_logs(files) if reads_logs else read_heads(files)
        self.manifest: Manifest = read_manifest(files)
        self.deleted = {PurePosixPath(info.path).stem for info in files.list("tombstones")}
        self._listings: dict[str, list[FileInfo]] = {}
        self._in_logs = {(log.name.project_folder, stem) for log in self.logs for stem in log.stems}

    def table_files(self, table: str) -> list[FileInfo]:
        """Return the Parquet files of a table that count, less those that logs hold as well.

        Raises:
            OutdatedSnapshotError: The store was changed; take another snapshot.
        """
        if table not in self._listings:
            found = [info for info in self.files.list(table) if info.path.endswith(".parquet")]
            self._check_that_all_is_as_before(found)
            self._listings[table] = [info for info in found if self.manifest.counts(info.path)]
        return [info for info in self._listings[table] if not self.is_in_log(info.path)]

    def is_in_log(self, path: str) -> bool:
        """Return whether a Parquet file has the rows of a log that is still there."""
        parts = PurePosixPath(path)
        return (parts.parent.name, parts.stem) in self._in_logs

    def logs_of(self, experiment_id: str) -> list[LogContents]:
        """Return the logs that belong to an experiment."""
        return [log for log in self.logs if log.experiment_id == experiment_id]

    def later_logs(self, log: LogContents) -> list[LogContents]:
        """Return the logs of the same experiment that came after one."""
        if log.experiment_id is None:
            return []
        same = self.logs_of(log.experiment_id)
        return same[[each.name for each in same].index(log.name) + 1 :]

    def alive(self) -> set[str]:
        """Return the ids of experiments that go on: their process runs and has not said the end."""
        going = [log for log in self.logs if log.is_alive and not log.has_ended]
        return {log.experiment_id for log in going if log.experiment_id}

    def _check_that_all_is_as_before(self, found: list[FileInfo]) -> None:
        """Look whether a listing is of the state that was read before it."""
        if latest_version(self.files) != self.manifest.version:
            raise OutdatedSnapshotError
        there = {info.path for info in self.files.list("log")}
        read = {log.name.segment(part.number) for log in self.logs for part in log.segments}
        if not read <= there:
            raise OutdatedSnapshotError
        # Files that are written from a log which is newer than the look at the logs.
        newer = {
            (name.project_folder, stem)
            for name, number in filter(None, map(parse_segment, there - read))
            for stem in (name.stem(number), name.log_id)
        }
        for info in found:
            parts = PurePosixPath(info.path)
            if (parts.parent.name, parts.stem) in newer:
                raise OutdatedSnapshotError


def consistently(files: Files, action: Callable[[Snapshot], T], *, reads_logs: bool = True) -> T:
    """Return what an action makes of one state of the store; it is tried until it sees one.

    Args:
        files: The store.
        action: Reads through the snapshot and changes nothing outside of it: it may be called
            several times.
        reads_logs: Whether it needs the rows of logs.

    Raises:
        StoreBusyError: Every attempt met a change, or a file is missing for good.
    """
    reason: Exception | None = None
    for attempt in range(_ATTEMPTS):
        try:
            return action(Snapshot(files, reads_logs=reads_logs))
        except (OutdatedSnapshotError, FileNotFoundError) as error:
            reason = error
            time.sleep(min(0.002 * attempt, _LONGEST_PAUSE_SECONDS))
    raise StoreBusyError(files.uri, reason) from reason
