"""Opening a store and finding what is in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.errors import AmbiguousIdError, ExperimentNotFoundError
from modelkb_store.experiment import Experiment
from modelkb_store.layout import Layout, resolve_store_path
from modelkb_store.listing import list_experiments
from modelkb_store.records import ExperimentRecord
from modelkb_store.table_file import records_of
from modelkb_store.tables import Tables

if TYPE_CHECKING:
    import pandas as pd


class Store:
    """A store of experiments, opened for reading; runs may be writing to it meanwhile.

    Args:
        path: The store's folder; by default ``$MODELKB_STORE``, else ``./modelkb``.

    Raises:
        StoreNotFoundError: There is no store.
        FormatVersionError: A newer ModelKB made it.
        CorruptFileError: Its ``format.json`` is damaged.

    Example:
        >>> store = Store("modelkb")
        >>> store.experiments().sort_values("metrics.val_accuracy").tail(3)
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._layout = Layout.open(resolve_store_path(path))
        self._tables = Tables(self._layout)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """The store's folder."""
        return self._layout.root

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

    def experiments(self, project: str | None = None) -> pd.DataFrame:
        """Return one row per experiment, oldest first.

        Args:
            project: Only this project's experiments.

        Returns:
            The columns of the table ``experiments``, then ``params.NAME`` for every
            hyperparameter and ``metrics.NAME`` for the last value of every metric, such as
            ``params.learning_rate`` and ``metrics.val_accuracy``.

        Raises:
            CorruptFileError: A file of the store is damaged.
        """
        experiments: pd.DataFrame = self.experiment_table(project).to_pandas()
        return experiments

    def experiment_table(self, project: str | None = None) -> pa.Table:
        """Return the same as :meth:`experiments`, as an Arrow table."""
        return list_experiments(self._tables, project)

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
        known = self._tables.read("experiments")
        ids = known["experiment_id"].to_pylist()
        whole = _resolve(experiment_id, ids, known["name"].to_pylist())
        row = known.slice(ids.index(whole), 1).to_pylist()[0]
        record: ExperimentRecord = records_of([row], ExperimentRecord)[0]
        return Experiment(self._layout, row["project"], record)


def _resolve(wanted: str, ids: list[str], names: list[str]) -> str:
    if wanted in ids:
        return wanted
    matches = [
        experiment_id
        for experiment_id, name in zip(ids, names, strict=True)
        if wanted and (name == wanted or _begins(experiment_id, wanted))
    ]
    if not matches:
        raise ExperimentNotFoundError(wanted, [*ids, *names])
    if len(matches) > 1:
        raise AmbiguousIdError(wanted, matches)
    return matches[0]


def _begins(experiment_id: str, wanted: str) -> bool:
    return experiment_id.startswith(wanted) or experiment_id.rpartition("-")[2].startswith(wanted)
