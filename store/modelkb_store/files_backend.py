"""A store whose files are read here: a folder, or a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from modelkb_store.backend import Order
from modelkb_store.experiment_record import ExperimentRecord
from modelkb_store.file_rows import OnDamaged
from modelkb_store.files.files import Files
from modelkb_store.layout import check_store
from modelkb_store.listing import list_experiments
from modelkb_store.log.recovery import recover
from modelkb_store.sql import NO_LIMITS, SqlLimits, run_sql
from modelkb_store.tables import Tables
from modelkb_store.upgrade import upgrade_if_possible

# What only some questions need is imported where they are asked, so that a list comes quickly.


class FilesBackend:
    """See :class:`modelkb_store.backend.Backend`.

    Args:
        files: The store.
        on_damaged: Told of each damaged file of a table, whose rows are then left out.
    """

    def __init__(self, files: Files, on_damaged: OnDamaged | None = None) -> None:
        self.files = files
        self.tables = Tables(files, on_damaged=on_damaged)

    def of_project(self, project: str) -> FilesBackend:
        """Return the same store as if it had this project alone, but for SQL and files."""
        limited = FilesBackend(self.files)
        limited.tables = self.tables.of_project(project)
        return limited

    @property
    def uri(self) -> str:
        """The folder, or the address without credentials."""
        return self.files.uri

    def check(self) -> None:
        """Check the format; finish what killed runs have left, where it can be written."""
        check_store(self.files)
        if self.files.local_path("") is not None:
            upgrade_if_possible(self.files)
            recover(self.files)  # of a bucket the machine that records does so

    def experiments(
        self, project: str | None, where: str | None, order_by: Order, limit: int | None
    ) -> pa.Table:
        """Return the experiments for which a condition holds."""
        if not (where or order_by or limit is not None):
            return self.tables.consistently(lambda tables: list_experiments(tables, project))
        from modelkb_store.queries.selection import select_experiments

        return self.tables.consistently(
            lambda tables: select_experiments(tables, project, where, order_by, limit)
        )

    def experiment_ids(self, project: str | None, where: str | None, order_by: Order) -> list[str]:
        """Return the ids alone."""
        from modelkb_store.queries.selection import select_experiment_ids

        return self.tables.consistently(
            lambda tables: select_experiment_ids(tables, project, where, order_by)
        )

    def experiment_rows(self, experiment_ids: Sequence[str], project: str | None) -> pa.Table:
        """Return some experiments."""
        from modelkb_store.queries.selection import experiments_in_order

        ids = pa.array(experiment_ids, pa.string())
        return self.tables.consistently(lambda tables: experiments_in_order(tables, ids, project))

    def sql(self, query: str, limits: SqlLimits = NO_LIMITS) -> pa.Table:
        """Return the result of an SQL query."""
        return run_sql(self.files, query, limits)

    def edit(
        self,
        experiment_id: str,
        seen: ExperimentRecord,
        *,
        tags: Iterable[str] | None = None,
        notes: str | None = None,
    ) -> ExperimentRecord:
        """Edit an experiment."""
        from modelkb_store.editing import edit_experiment

        return edit_experiment(self.files, experiment_id, tags=tags, notes=notes, seen=seen)

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment."""
        from modelkb_store.upkeep.deletion import delete_experiment

        delete_experiment(self.files, experiment_id)

    def restore(self, experiment_id: str) -> None:
        """Bring a deleted experiment back."""
        from modelkb_store.upkeep.deletion import undelete

        undelete(self.files, experiment_id)

    def deleted(self) -> list[str]:
        """Return the ids of deleted experiments."""
        from modelkb_store.upkeep.deletion import deleted_experiments

        return deleted_experiments(self.files)
