"""Tables that a server reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import pyarrow as pa

from modelkb_store.backend import TableReader
from modelkb_store.errors import StoreBusyError
from modelkb_store.keys import SHARED_KEYS
from modelkb_store.schemas import SCHEMAS
from modelkb_store.server.connection import Connection, path_of
from modelkb_store.server.server_files import ServerFiles
from modelkb_store.tables import in_order

T = TypeVar("T")

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2


class ServerTables:
    """See :class:`modelkb_store.tables.Tables`: what a method returns is the same.

    Args:
        connection: The server.
    """

    def __init__(self, connection: Connection) -> None:
        self.files = ServerFiles(connection)
        self._connection = connection

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        """Read a table of all projects, or of one."""
        wanted = {
            "project": project,
            "columns": None if columns is None else list(columns),
            "where": None if where is None else {k: list(v) for k, v in where.items()},
        }
        return self._connection.rows(path_of("tables", table), wanted)

    def of_experiment(self, table: str, project: str, experiment_id: str) -> pa.Table:
        """Read the rows of one experiment."""
        where = {"experiment_id": [experiment_id]}
        return in_order(table, self.read(table, project, SCHEMAS[table].names, where=where))

    def of_entity(self, table: str, project: str, entity_id: str | None) -> pa.Table:
        """Read the rows of a shared entity."""
        if entity_id is None:
            return SCHEMAS[table].empty_table()
        where = {SHARED_KEYS[table]: [entity_id]}
        return self.read(table, project, SCHEMAS[table].names, where=where)

    def consistently(self, action: Callable[[TableReader], T]) -> T:
        """Return what an action makes of rows, and of files that these refer to.

        Raises:
            StoreBusyError: A file is missing, however often it is looked for.
        """
        reason: Exception | None = None
        for attempt in range(_ATTEMPTS):
            try:
                return action(self)
            except FileNotFoundError as error:
                reason = error
                time.sleep(_PAUSE_SECONDS * attempt)
        raise StoreBusyError(self.files.uri, reason) from reason
