"""Copying experiments to a server."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from modelkb_store.server.connection import ARROW, Connection, path_of
from modelkb_store.server.server_backend import ServerBackend
from modelkb_store.server.server_tables import ServerTables

# In the metadata of a stream: the experiments whose rows it has, also those that have none.
EXPERIMENTS_KEY = b"modelkb.experiment_ids"


class ServerTarget:
    """See :class:`modelkb_store.transfer.copy_target.CopyTarget`.

    Args:
        connection: The server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tables = ServerTables(connection)

    @property
    def uri(self) -> str:
        """The server."""
        return self._connection.uri

    def prepare(self) -> None:
        """Look whether the server has a store."""
        ServerBackend(self._connection).check()

    def has_object(self, path: str) -> bool:
        """Return whether a file is there."""
        return self.tables.files.exists(path)

    def keep_object(self, path: str, local: Path) -> None:
        """Send a file."""
        self.tables.files.write_file(path, local)

    def keep_project(self, project: str, rows: pa.Table) -> None:
        """Send the project's row."""
        self._send("projects", project, rows, "shared")

    def keep_shared(self, table: str, project: str, rows: pa.Table) -> None:
        """Send rows; the server passes over those that it has."""
        if rows.num_rows:
            self._send(table, project, rows, "shared")

    def put(
        self,
        table: str,
        project: str,
        rows: pa.Table,
        *,
        new: Collection[str],
        changed: Collection[str],
    ) -> None:
        """Send rows."""
        ids = json.dumps(sorted({*new, *changed})).encode()
        self._send(table, project, rows.replace_schema_metadata({EXPERIMENTS_KEY: ids}), "rows")

    def show(self, experiment_ids: Collection[str]) -> None:
        """Have the server forget that they were deleted."""
        if experiment_ids:
            self._connection.document("POST", "/imports/shown", sorted(experiment_ids))

    def _send(self, table: str, project: str, rows: pa.Table, kind: str) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        self._connection.document(
            "PUT",
            path_of("imports", table, kind),
            sink.getvalue().to_pybytes(),
            query={"project": project},
            headers={"Content-Type": ARROW},
        )
