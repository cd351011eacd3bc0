"""Opening a store and finding what is in it."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.backend import open_backend
from modelkb_store.errors import CorruptFileError, InvalidSettingError
from modelkb_store.experiment import Experiment
from modelkb_store.experiment_ids import resolve_experiment_id
from modelkb_store.experiment_record import ExperimentRecord
from modelkb_store.history_names import history_name, metrics_that_may_be
from modelkb_store.layout import resolve_store_location
from modelkb_store.schemas import PARTITIONING, SCHEMAS
from modelkb_store.sql import SqlLimits
from modelkb_store.table_file import records_of

if TYPE_CHECKING:
    import pandas as pd

    from modelkb_store.backend import TableReader


class Store:
    """A store of experiments, opened for reading; runs may be writing to it meanwhile.

    Opening it finishes what runs that were killed have left, where the store can be written.

    Args:
        path: The store's folder, the address of one in a bucket (``s3://bucket/folder``,
            ``gs://``), or of a server (``https://host:port``, with the token in
            ``$MODELKB_TOKEN``); by default ``$MODELKB_STORE``, else ``./modelkb``.
        on_damaged: Told of each damaged file of a table, whose rows are then left out, also of
            what :meth:`experiment` returns. By default whatever needs the file raises. A server
            leaves them out, and tells its own viewer.

    Raises:
        StoreNotFoundError: There is no store.
        FormatVersionError: A newer ModelKB made it.
        CorruptFileError: Its ``format.json`` is damaged.
        StoreUnreachableError: The network or the server is away, here and in all methods.
        TokenError: The server wants another token, here and in all methods.

    Attributes:
        backend: What answers for the store.
        files: The files of the store; of a server only those of content can be read.

    Example:
        >>> store = Store("modelkb")
        >>> store.experiments(where="params.learning_rate < 0.01", order_by="-metrics.val_accuracy")
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        on_damaged: Callable[[CorruptFileError], None] | None = None,
    ) -> None:
        self.backend = open_backend(resolve_store_location(path), on_damaged)
        self.backend.check()
        self.files = self.backend.files
        self._tables = self.backend.tables

    def __repr__(self) -> str:
        return f"Store({self.uri!r})"

    @property
    def uri(self) -> str:
        """Where the store is: a folder, or an address without credentials."""
        return self.backend.uri

    def of_project(self, project: str) -> Store:
        """Return the same store as if it had one project alone.

        For those who may know of no other one: ids and names are looked for in it only, also those
        in queries. SQL and files are not limited.
        """
        limited = copy.copy(self)
        limited.backend = self.backend.of_project(project)
        limited._tables = limited.backend.tables
        return limited

    def projects(self) -> pd.DataFrame:
        """Return the projects, by name.

        Returns:
            Columns ``project``, ``created_at``, ``owner``, ``application``,
            ``description``, ``experiment_count`` (int64) and ``last_started_at``.

        Raises:
            CorruptFileError: A file of the store is damaged.
        """
        projects: pd.DataFrame = self.project_table().to_pandas()
        return projects

    def project_table(self) -> pa.Table:
        """Return the same as :meth:`projects`, as an Arrow table."""
        runs = self._tables.read("experiments", columns=["project", "started_at"])
        counts = runs.group_by("project").aggregate(
            [("started_at", "count"), ("started_at", "max")]
        )
        counts = counts.rename_columns(["project", "experiment_count", "last_started_at"])
        projects = self._tables.read("projects").join(counts, "project")
        filled = pc.fill_null(projects["experiment_count"], 0)
        position = projects.schema.get_field_index("experiment_count")
        return projects.set_column(position, "experiment_count", filled).sort_by("project")

    def experiments(
        self,
        project: str | None = None,
        *,
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Return one row per experiment, oldest first.

        Args:
            project: Only this project's experiments.
            where: Only those for which this holds, in the language of docs/queries.md, such as
                ``"metrics.val_accuracy > 0.9 and has(Conv2D(filters >= 64))"``.
            order_by: A column, or several; with ``-`` in front from large to small. Missing
                values come last.
            limit: No more than this many.

        Returns:
            The columns of the table ``experiments``, then ``params.NAME`` for every
            hyperparameter and ``metrics.NAME`` for the last value of every metric, such as
            ``params.learning_rate`` and ``metrics.val_accuracy``.

        Raises:
            QueryError: The query is not valid; its text says where.
            CorruptFileError: A file of the store is damaged.
        """
        table = self.experiment_table(project, where=where, order_by=order_by, limit=limit)
        experiments: pd.DataFrame = table.to_pandas()
        return experiments

    def experiment_table(
        self,
        project: str | None = None,
        *,
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """Return the same as :meth:`experiments`, as an Arrow table."""
        return self.backend.experiments(project, where, order_by, limit)

    def experiment_ids(
        self,
        project: str | None = None,
        *,
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
    ) -> list[str]:
        """Return only the ids of :meth:`experiments`: fast, to count them or show some at a time.

        Raises:
            QueryError: The query is not valid; its text says where.
            CorruptFileError: A file of the store is damaged.

        Example:
            >>> ids = store.experiment_ids("digits", order_by="-started_at")
            >>> second_page = store.experiment_rows(ids[100:200])
        """
        return self.backend.experiment_ids(project, where, order_by)

    def experiment_rows(
        self, experiment_ids: Iterable[str], project: str | None = None
    ) -> pa.Table:
        """Return the rows of some experiments, in the order of their ids, as an Arrow table.

        Args:
            experiment_ids: Whole ids; those that are not in the store are left out.
            project: The project that all of them are of, if they are of one.

        Returns:
            The columns of :meth:`experiments` that one of them has.
        """
        return self.backend.experiment_rows(list(experiment_ids), project)

    def table(
        self,
        name: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        """Return the rows of a table as they are stored, in no order, as an Arrow table.

        Args:
            name: A table of FORMAT.md, such as ``metric_summaries``.
            project: Only this project's rows.
            columns: Only these columns; ``project`` may be among them. All by default.
            where: Only rows with one of these values, by column of text.

        Raises:
            InvalidSettingError: There is no such table or column.
            CorruptFileError: A file of the store is damaged.

        Example:
            >>> store.table("metrics", where={"experiment_id": ids, "metric": ["loss"]})
        """
        if name not in SCHEMAS:
            raise InvalidSettingError("name", name, f"one of {', '.join(SCHEMAS)}")
        schema = SCHEMAS[name]
        known = [*PARTITIONING.names, *schema.names]
        for column in columns or ():
            if column not in known:
                raise InvalidSettingError("columns", column, f"some of {', '.join(known)}")
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        for column in where or ():
            if column not in texts:
                raise InvalidSettingError("where", column, f"one of {', '.join(texts)}")
        return self._tables.read(name, project, columns, where=where)

    def experiment(self, experiment_id: str) -> Experiment:
        """Return one experiment.

        Args:
            experiment_id: The id; or as much as is unique of its beginning or of its last
                part, the ten characters after the last dash; or the experiment's name.

        Raises:
            ExperimentNotFoundError: None has this id.
            AmbiguousIdError: Several do.
            CorruptFileError: A file of the store is damaged.
        """
        row = self._tables.consistently(lambda tables: _row_of(tables, experiment_id))
        record: ExperimentRecord = records_of([row], ExperimentRecord)[0]
        return Experiment(self.backend, row["project"], record)

    def metrics(
        self, experiment_ids: Iterable[str] | None = None, name: str | None = None
    ) -> pd.DataFrame:
        """Return curves of many experiments at once.

        Args:
            experiment_ids: Whole ids; all experiments by default.
            name: Only this curve, by its name in Keras' history, such as ``val_loss``.

        Returns:
            Columns ``experiment_id``, ``epoch`` (from 0), ``step``, ``name`` (as in Keras'
            history), ``value`` and ``wall_time`` (UTC), in the order of ids and epochs.

        Raises:
            CorruptFileError: A file of the store is damaged.

        Example:
            >>> curves = store.metrics(best["experiment_id"], "val_loss")
            >>> curves.pivot(index="epoch", columns="experiment_id", values="value").plot()
        """
        where: dict[str, list[str]] = {}
        if experiment_ids is not None:
            where["experiment_id"] = list(experiment_ids)
        if name is not None:
            where["metric"] = metrics_that_may_be(name)
        columns = ["experiment_id", "epoch", "step", "split", "metric", "value", "wall_time"]
        curves: pd.DataFrame = self._tables.read(
            "metrics", columns=columns, where=where
        ).to_pandas()
        pairs = zip(curves.pop("split"), curves.pop("metric"), strict=True)
        curves.insert(3, "name", [history_name(split, metric) for split, metric in pairs])
        if name is not None:
            curves = curves[curves["name"] == name]
        in_order: pd.DataFrame = curves.sort_values(
            ["experiment_id", "epoch"], kind="stable", ignore_index=True
        )
        return in_order

    def sql(self, query: str, *, timeout_seconds: float | None = None) -> pd.DataFrame:
        """Return the result of an SQL query over the tables of the store.

        Args:
            query: One SELECT, in DuckDB's SQL. The tables are those of FORMAT.md, each with a
                column ``project`` as well.
            timeout_seconds: After how long it is ended; by default never, on a server after 30.

        Raises:
            SqlError: The query is not valid, or not a reading one.
            SqlTimeoutError: It took too long.
            MissingPackageError: DuckDB is not installed.

        Example:
            >>> store.sql("select owner, count(*) as runs from experiments group by owner")
        """
        result: pd.DataFrame = self.sql_table(query, timeout_seconds=timeout_seconds).to_pandas()
        return result

    def sql_table(self, query: str, *, timeout_seconds: float | None = None) -> pa.Table:
        """Return the same as :meth:`sql`, as an Arrow table."""
        return self.backend.sql(query, SqlLimits(timeout_seconds))


def _row_of(tables: TableReader, wanted: str) -> dict[str, Any]:
    """Return the row of an experiment; see :meth:`Store.experiment`."""
    rows = tables.read("experiments", where={"experiment_id": [wanted]})
    if not rows.num_rows:
        columns = ["experiment_id", "name"]
        known = tables.read("experiments", columns=columns)
        ids, names = (known[column].to_pylist() for column in columns)
        whole = resolve_experiment_id(wanted, ids, names)
        rows = tables.read("experiments", where={"experiment_id": [whole]})
    row: dict[str, Any] = rows.to_pylist()[0]
    return row
