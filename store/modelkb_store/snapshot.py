"""One state of a store, as its readers see it, while others write, fold and compact."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Container
from pathlib import PurePosixPath
from typing import TypeVar

from modelkb_store.commits.manifest import Manifest, latest_version, read_manifest
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.layout import tombstone_file
from modelkb_store.log.log_cache import LogCache
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
        log_tables: Only the rows of these tables are read from logs, and only these can be asked
            for; by default of all, as always with a cache.
        log_cache: Keeps the rows of logs for the next who looks; by default nothing is kept.

    Attributes:
        logs: The logs of running experiments, and of those that died.
        manifest: Which compacted files count.
        deleted: Ids of experiments that are deleted and not yet collected.
    """

    def __init__(
        self,
        files: Files,
        *,
        reads_logs: bool = True,
        log_tables: Collection[str] | None = None,
        log_cache: LogCache | None = None,
    ) -> None:
        self.files = files
        self.logs: list[LogContents]
        if not reads_logs:
            self.logs = read_heads(files)
        elif log_cache is not None:
            self.logs = log_cache.read(files)
        else:
            self.logs = read_logs(files, tables=log_tables)
        self.manifest: Manifest = read_manifest(files)
        stems = {info.path: PurePosixPath(info.path).stem for info in files.list("tombstones")}
        self.deleted = {stem for path, stem in stems.items() if path == tombstone_file(stem)}
        self._log_counts = Counter(log.experiment_id for log in self.logs)
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
        return _folder_and_stem(path) in self._in_logs

    def logs_of(self, experiment_id: str) -> list[LogContents]:
        """Return the logs that belong to an experiment."""
        return [log for log in self.logs if log.experiment_id == experiment_id]

    def is_only_log(self, log: LogContents) -> bool:
        """Return whether no other log belongs to the same experiment."""
        return self._log_counts[log.experiment_id] == 1

    def later_logs(self, log: LogContents) -> list[LogContents]:
        """Return the logs of the same experiment and project that came after one."""
        if log.experiment_id is None:
            return []
        folder = log.name.project_folder
        same = [e for e in self.logs_of(log.experiment_id) if e.name.project_folder == folder]
        return same[[each.name for each in same].index(log.name) + 1 :]

    def alive(self, among: Container[str] | None = None) -> set[str]:
        """Return the ids of experiments that go on: their process runs and has not said the end.

        Args:
            among: Only these are looked at; by default all.
        """
        return {
            log.experiment_id
            for log in self.logs
            if log.experiment_id
            and (among is None or log.experiment_id in among)
            and not log.has_ended
            and log.is_alive
        }

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
        if newer and any(_folder_and_stem(info.path) in newer for info in found):
            raise OutdatedSnapshotError


def _folder_and_stem(path: str) -> tuple[str, str]:
    """Return the name of the folder that a Parquet file is in, and its own without the end."""
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[2], name.removesuffix(".parquet")


def consistently(
    files: Files,
    action: Callable[[Snapshot], T],
    *,
    reads_logs: bool = True,
    log_tables: Collection[str] | None = None,
    take: Callable[[], Snapshot] | None = None,
) -> T:
    """Return what an action makes of one state of the store; it is tried until it sees one.

    Args:
        files: The store.
        action: Reads through the snapshot and changes nothing outside of it: it may be called
            several times.
        reads_logs: Whether it needs the rows of logs.
        log_tables: Of which tables it needs them, if it takes none itself; by default of all.
        take: Takes the snapshot, if not every caller is to have one of its own.

    Raises:
        StoreBusyError: Every attempt met a change, or a file is missing for good.
    """
    reason: Exception | None = None
    for attempt in range(_ATTEMPTS):
        try:
            if take is not None:
                return action(take())
            return action(Snapshot(files, reads_logs=reads_logs, log_tables=log_tables))
        except (OutdatedSnapshotError, FileNotFoundError) as error:
            reason = error
            time.sleep(min(0.002 * attempt, _LONGEST_PAUSE_SECONDS))
    raise StoreBusyError(files.uri, reason) from reason
