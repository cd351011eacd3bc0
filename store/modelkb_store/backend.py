"""What answers for a store: its files, read here, or a server that has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import pyarrow as pa

from modelkb_store.experiment_record import ExperimentRecord
from modelkb_store.file_rows import OnDamaged
from modelkb_store.files.files import Files
from modelkb_store.files.open_files import is_server, open_files
from modelkb_store.sql import NO_LIMITS, SqlLimits

T = TypeVar("T")

Order = str | Sequence[str] | None


class TableReader(Protocol):
    """Reads tables; see :class:`modelkb_store.tables.Tables`, whose methods these are."""

    @property
    def files(self) -> Files:
        """Where the files of content are that rows refer to."""
        ...

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        """Read a table of all projects, or of one."""
        ...

    def of_experiment(self, table: str, project: str, experiment_id: str) -> pa.Table:
        """Read the rows of one experiment, in the order that they were recorded in."""
        ...

    def of_entity(self, table: str, project: str, entity_id: str | None) -> pa.Table:
        """Read the rows of a shared entity."""
        ...

    def consistently(self, action: Callable[[TableReader], T]) -> T:
        """Return what an action makes of rows and of files that they refer to."""
        ...


class Backend(Protocol):
    """A store, wherever it is."""

    @property
    def uri(self) -> str:
        """The place, for people; without credentials."""
        ...

    @property
    def files(self) -> Files:
        """Its files; of a server only those of content can be read."""
        ...

    @property
    def tables(self) -> TableReader:
        """Its tables."""
        ...

    def of_project(self, project: str) -> Backend:
        """Return what answers as if the store had one project alone, but for SQL and files."""
        ...

    def check(self) -> None:
        """Look whether there is a store that can be read, and finish what was left in it.

        Raises:
            StoreNotFoundError: There is none.
            FormatVersionError: It is newer than this ModelKB.
            StoreUnreachableError: The network is away.
        """
        ...

    def experiments(
        self, project: str | None, where: str | None, order_by: Order, limit: int | None
    ) -> pa.Table:
        """Return the experiments for which a condition holds, as they are listed."""
        ...

    def experiment_ids(self, project: str | None, where: str | None, order_by: Order) -> list[str]:
        """Return the ids alone."""
        ...

    def experiment_rows(self, experiment_ids: Sequence[str], project: str | None) -> pa.Table:
        """Return some experiments as they are listed, in the order of their ids."""
        ...

    def sql(self, query: str, limits: SqlLimits = NO_LIMITS) -> pa.Table:
        """Return the result of an SQL query."""
        ...

    def edit(
        self,
        experiment_id: str,
        seen: ExperimentRecord,
        *,
        tags: Iterable[str] | None = None,
        notes: str | None = None,
    ) -> ExperimentRecord:
        """Give an experiment other tags or notes than were seen; return it as it is then."""
        ...

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment: nobody sees it any more."""
        ...

    def restore(self, experiment_id: str) -> None:
        """Bring a deleted experiment back."""
        ...

    def deleted(self) -> list[str]:
        """Return the ids of experiments that are deleted and can be brought back."""
        ...


def open_backend(
    location: str, on_damaged: OnDamaged | None = None, *, is_patient: bool = True
) -> Backend:
    """Return what answers for the store at a place, which is not looked at yet.

    Args:
        location: A folder, the address of a bucket, or of a server.
        on_damaged: Told of damaged files; see :class:`modelkb_store.store.Store`.
        is_patient: Whether a server that is silent is waited for; a training waits for none.

    Raises:
        InvalidSettingError: The address is not understood.
    """
    if is_server(location):
        # Inside: only who has a server needs its library.
        from modelkb_store.server.connection import Connection
        from modelkb_store.server.server_backend import ServerBackend
        from modelkb_store.server.server_destination import PATIENCE

        return ServerBackend(Connection(location, None if is_patient else PATIENCE))
    from modelkb_store.files_backend import FilesBackend

    return FilesBackend(open_files(location), on_damaged)
