"""Where a log's rows go: into the store that the log itself lies in."""

from __future__ import annotations

from typing import Protocol

from modelkb_store import atomic_file
from modelkb_store.commits.compaction import compact_as_runs_end
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.entry import Columns
from modelkb_store.log.folding import fold, mirror, seal
from modelkb_store.log.log_name import LogName


class LogHome(Protocol):
    """What becomes of the logs of a store that a process writes.

    Attributes:
        files: Where the logs and new objects are written, on this machine.
        facts: What the first line of a log is to say beside whose it is.
    """

    files: LocalFiles
    facts: Columns

    def begun(self, name: LogName) -> None:
        """Show that there is a log."""
        ...

    def mirror(self, name: LogName) -> None:
        """Show what a log says so far to those who read only Parquet."""
        ...

    def seal(self, name: LogName, number: int) -> None:
        """Leave the rows of a full segment to Parquet files; another one has begun."""
        ...

    def fold(self, name: LogName) -> None:
        """Put what a log says into Parquet files for good; nothing will follow."""
        ...

    def tidy(self, project_folder: str) -> None:
        """Merge small files of a project where many have come together."""
        ...

    def holds(self, path: str) -> bool:
        """Return whether an object is there, which stays while it is being referred to."""
        ...

    def complaint(self, *, is_over: bool = False) -> str | None:
        """Return, once, what keeps rows from where they go, if the user should know.

        Args:
            is_over: Whether a run has ended, which may be the last.
        """
        ...


class StoreHome:
    """The logs of a store that is a folder, on a local or shared file system."""

    facts: Columns = {}  # noqa: RUF012 - a mapping that nobody changes

    def __init__(self, files: LocalFiles) -> None:
        self.files = files

    def begun(self, name: LogName) -> None:
        """Do nothing: readers see it by itself."""

    def mirror(self, name: LogName) -> None:
        """Write the log's rows into Parquet files beside it."""
        mirror(self.files, name)

    def seal(self, name: LogName, number: int) -> None:
        """Write the segment's rows into Parquet files, and delete it."""
        seal(self.files, name, number)

    def fold(self, name: LogName) -> None:
        """Write the log's rows into Parquet files beside it, and delete it."""
        fold(self.files, name)

    def tidy(self, project_folder: str) -> None:
        """Merge files."""
        compact_as_runs_end(self.files, project_folder)

    def holds(self, path: str) -> bool:
        """Touch an object, so that a collection of garbage takes it for new."""
        return atomic_file.touch(self.files.local_path(path))

    def complaint(self, *, is_over: bool = False) -> str | None:
        """Return None: what fails here is raised."""
        return None
