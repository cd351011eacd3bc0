"""A store that a server has: it answers what a store of files would."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from modelkb_store.backend import Order
from modelkb_store.editing import checked_notes, checked_tags
from modelkb_store.errors import (
    InvalidSettingError,
    NotOverServerError,
    SqlError,
    StoreNotFoundError,
)
from modelkb_store.records import ExperimentRecord
from modelkb_store.server.connection import Connection, path_of
from modelkb_store.server.problems import unreachable
from modelkb_store.server.server_files import ServerFiles
from modelkb_store.server.server_tables import ServerTables
from modelkb_store.sql import NO_LIMITS, SqlLimits

# What a server gives at most, and how it says that there is more.
MOST_SQL_ROWS = 1_000_000
TRUNCATED_HEADER = "Modelkb-Truncated"


class ServerBackend:
    """See :class:`modelkb_store.backend.Backend`.

    Args:
        connection: The server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tables = ServerTables(connection)

    @property
    def uri(self) -> str:
        """The server, without credentials."""
        return self._connection.uri

    @property
    def files(self) -> ServerFiles:
        """Its files of content."""
        return self.tables.files

    def of_project(self, project: str) -> ServerBackend:
        """Not offered: what a server shows of its store is settled by the token."""
        raise NotOverServerError(self.uri, f"Showing {project!r} alone")

    def check(self) -> None:
        """Look whether the server has a store."""
        health = self._connection.document("GET", "/health")
        if not isinstance(health, dict) or "version" not in health:
            raise unreachable(self.uri, "what answers there is no server of ModelKB's")
        if health.get("status") == "no store":
            raise StoreNotFoundError(self.uri)

    def experiments(
        self, project: str | None, where: str | None, order_by: Order, limit: int | None
    ) -> pa.Table:
        """Return the experiments for which a condition holds."""
        if limit is not None and (isinstance(limit, bool) or limit < 0):
            raise InvalidSettingError("limit", limit, "a whole number from 0, or None for all")
        wanted = {**_selection(project, where, order_by), "limit": limit}
        return self._connection.rows("/selections", wanted)

    def experiment_ids(self, project: str | None, where: str | None, order_by: Order) -> list[str]:
        """Return the ids alone."""
        rows = self._connection.rows("/selections/ids", _selection(project, where, order_by))
        ids: list[str] = rows["experiment_id"].to_pylist()
        return ids

    def experiment_rows(self, experiment_ids: Sequence[str], project: str | None) -> pa.Table:
        """Return some experiments."""
        wanted = {"experiment_ids": list(experiment_ids), "project": project}
        return self._connection.rows("/selections/rows", wanted)

    def sql(self, query: str, limits: SqlLimits = NO_LIMITS) -> pa.Table:
        """Return the result of an SQL query, which the server ends when it takes too long.

        Raises:
            SqlError: The result has more rows than the server gives.
        """
        wanted = {
            "query": query,
            "timeout_seconds": limits.timeout_seconds,
            "max_rows": MOST_SQL_ROWS if limits.most_rows is None else limits.most_rows,
        }
        rows, headers = self._connection.rows_and_headers("/sql", wanted)
        if limits.most_rows is None and TRUNCATED_HEADER in headers:
            reason = f"its result has more than the {MOST_SQL_ROWS:,} rows that a server gives"
            raise SqlError(query, reason)
        return rows

    def edit(
        self,
        experiment_id: str,
        seen: ExperimentRecord,
        *,
        tags: Iterable[str] | None = None,
        notes: str | None = None,
    ) -> ExperimentRecord:
        """Edit an experiment."""
        change: dict[str, Any] = {"seen_tags": list(seen.tags), "seen_notes": seen.notes}
        if tags is not None:
            change["tags"] = list(checked_tags(tags))
        if notes is not None:
            change["notes"] = checked_notes(notes)
        row = self._connection.document("PATCH", path_of("experiments", experiment_id), change)
        return dataclasses.replace(seen, tags=tuple(row["tags"]), notes=row["notes"])

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment."""
        self._connection.ask("DELETE", path_of("experiments", experiment_id), repeats=False)

    def restore(self, experiment_id: str) -> None:
        """Bring a deleted experiment back."""
        path = path_of("experiments", experiment_id, "restore")
        self._connection.ask("POST", path, repeats=False)

    def deleted(self) -> list[str]:
        """Return the ids of deleted experiments."""
        return [str(each) for each in self._connection.document("GET", "/deleted-experiments")]


def _selection(project: str | None, where: str | None, order_by: Order) -> dict[str, Any]:
    names = order_by if isinstance(order_by, str) or order_by is None else list(order_by)
    return {"project": project, "where": where, "order_by": names}
