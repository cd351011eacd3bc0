"""Where a spool sends what was recorded: into a bucket, or to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from modelkb_store.commits.compaction import compact_as_runs_end
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.log.folding import fold, mirror, seal
from modelkb_store.log.log_contents import LogContents


class Destination(Protocol):
    """A remote store, as those see it who record.

    Every method may raise OSError or ModelKBError: then nothing is lost, and it is called again.
    """

    def send_object(self, path: str, local: Path) -> None:
        """Send a file of content, unless it is there; it may be gone here afterwards."""
        ...

    def send_log(self, spool: LocalFiles, log: LogContents, *, has_ended: bool) -> bool:
        """Send what a log says, and delete full segments here that are sent.

        Args:
            spool: Where the log is, on this machine.
            log: The log; its rows need not be read.
            has_ended: Whether nothing will be added.

        Returns:
            Whether it is not needed here any more.
        """
        ...


class BucketDestination:
    """A store in a bucket, where this machine makes Parquet files of logs.

    Args:
        remote: The store; it is made if it is not there.

    Raises:
        ModelKBError: The place is no store, or of a newer format.
        OSError: The network is away.
    """

    def __init__(self, remote: Files) -> None:
        create_store(remote)
        self._remote = remote

    def send_object(self, path: str, local: Path) -> None:
        """Upload it."""
        if not self._remote.exists(path):
            self._remote.write_file(path, local)

    def send_log(self, spool: LocalFiles, log: LogContents, *, has_ended: bool) -> bool:
        """Upload the log as it is, and have it mirrored or folded there."""
        for segment in log.segments:
            # Also where nothing is new, as a sign of life.
            path = log.name.segment(segment.number)
            self._remote.write(path, spool.read(path))
        if has_ended:
            is_folded = fold(self._remote, log.name)
            if is_folded:
                compact_as_runs_end(self._remote, log.name.project_folder)
            return is_folded
        full = log.segments[:-1]
        if not full:
            mirror(self._remote, log.name)
            return False
        seal(self._remote, log.name, full[-1].number)
        for segment in full:
            spool.delete(log.name.segment(segment.number))
        return False
