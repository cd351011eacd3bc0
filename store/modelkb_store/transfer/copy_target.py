"""Where experiments are copied to: a store of files, or one on a server."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import layout
from modelkb_store.backend import TableReader
from modelkb_store.commits.rows import remove_rows, replace_rows
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.files.files import Files
from modelkb_store.files.open_files import is_server, open_files
from modelkb_store.project_names import project_folder
from modelkb_store.table_file import encode_rows
from modelkb_store.tables import Tables


class CopyTarget(Protocol):
    """A store that takes experiments. What is done twice is done once."""

    @property
    def uri(self) -> str:
        """The place, for people."""
        ...

    @property
    def tables(self) -> TableReader:
        """What it has already."""
        ...

    def prepare(self) -> None:
        """Make it a store if it is none yet.

        Raises:
            ModelKBError: The place is no store, or of a newer format.
            OSError: It cannot be made, or the network is away.
        """
        ...

    def has_object(self, path: str) -> bool:
        """Return whether a file of content is there."""
        ...

    def keep_object(self, path: str, local: Path) -> None:
        """Keep a file of content, which is gone here afterwards."""
        ...

    def keep_project(self, project: str, rows: pa.Table) -> None:
        """Keep a project's row, unless it has one."""
        ...

    def keep_shared(self, table: str, project: str, rows: pa.Table) -> None:
        """Keep rows of a table of shared entities, which it lacks."""
        ...

    def put(
        self,
        table: str,
        project: str,
        rows: pa.Table,
        *,
        new: Collection[str],
        changed: Collection[str],
    ) -> None:
        """Give experiments these rows of a table, in place of all that they have.

        Args:
            table: The table.
            project: The project of all of them.
            rows: Their rows.
            new: Those that it did not have, but for what was left when a copy was broken off.
            changed: Those that it had otherwise.
        """
        ...

    def show(self, experiment_ids: Collection[str]) -> None:
        """Have experiments seen that were deleted there before."""
        ...


class FilesTarget:
    """A folder or a bucket.

    Args:
        files: The store, or an empty place.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self.tables = Tables(files)

    @property
    def uri(self) -> str:
        """The place."""
        return self._files.uri

    def prepare(self) -> None:
        """Make or check the store."""
        layout.create_store(self._files)

    def has_object(self, path: str) -> bool:
        """Return whether a file is there."""
        return self._files.exists(path)

    def keep_object(self, path: str, local: Path) -> None:
        """Keep a file."""
        self._files.write_file(path, local)

    def keep_project(self, project: str, rows: pa.Table) -> None:
        """Write the file of the project."""
        path = layout.table_file("projects", project, "project")
        if rows.num_rows and not self._files.exists(path):
            self._files.write(path, memoryview(encode_rows("projects", rows.slice(0, 1))))

    def keep_shared(self, table: str, project: str, rows: pa.Table) -> None:
        """Add rows."""
        if rows.num_rows:
            folder = project_folder(project)
            commit(self._files, lambda _: Replacement(table, folder, (), [rows]))

    def put(
        self,
        table: str,
        project: str,
        rows: pa.Table,
        *,
        new: Collection[str],
        changed: Collection[str],
    ) -> None:
        """Replace rows."""
        is_new = pc.is_in(rows["experiment_id"], pa.array(sorted(new), pa.string()))
        # Of a copy that was broken off.
        remove_rows(self._files, table, project, "experiment_id", new)
        self.keep_shared(table, project, rows.filter(is_new))
        for run in sorted(changed):
            of_run = rows.filter(pc.equal(rows["experiment_id"], run))
            replace_rows(self._files, table, project, run, of_run)

    def show(self, experiment_ids: Collection[str]) -> None:
        """Delete notes of deletion."""
        for run in experiment_ids:
            self._files.delete(layout.tombstone_file(run))


def open_target(location: str) -> CopyTarget:
    """Return the store to copy to at a place, which need not be there yet.

    Raises:
        InvalidSettingError: The address is not understood.
    """
    if is_server(location):
        # Inside: only who has a server needs its library.
        from modelkb_store.server.connection import Connection
        from modelkb_store.server.server_target import ServerTarget

        return ServerTarget(Connection(location))
    return FilesTarget(open_files(location))
