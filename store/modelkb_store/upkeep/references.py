"""What is in use: shared rows and objects that experiments lead to, or that are young."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import layout
from modelkb_store.file_rows import project_of, read_rows
from modelkb_store.files.files import FileInfo
from modelkb_store.keys import SHARED_KEYS
from modelkb_store.snapshot import Snapshot
from modelkb_store.tables import Tables

# Which columns lead to which shared table, those of models only for models in use.
_FROM_EXPERIMENTS = (
    ("experiments", "model_id", "models"),
    ("predictions", "model_id", "models"),
    ("experiments", "architecture_id", "layers"),
    ("experiments", "dataset_id", "datasets"),
    ("experiments", "validation_dataset_id", "datasets"),
    ("evaluations", "dataset_id", "datasets"),
    ("experiments", "implementation_id", "implementations"),
    ("experiments", "environment_id", "environments"),
)
_FROM_MODELS = (
    ("architecture_id", "layers"),
    ("dataset_id", "datasets"),
    ("implementation_id", "implementations"),
)
# Rows of trained_weights go with their experiment.
COLLECTED_TABLES = tuple(table for table in SHARED_KEYS if table != "trained_weights")
OBJECT_FOLDERS = ("objects/architectures", "objects/files", "objects/weights")


class References:
    """What is in use in one state of a store, also by deleted experiments that may come back.

    Args:
        snapshot: The state.
        cutoff: What was written later is young, and counts as used.
        gone: Ids of deleted experiments that use nothing any more.
    """

    def __init__(self, snapshot: Snapshot, cutoff: datetime, gone: Collection[str] = ()) -> None:
        snapshot = copy.copy(snapshot)
        snapshot.deleted = set(gone)
        self._snapshot = snapshot
        self._cutoff = cutoff
        self._tables = Tables(snapshot.files, snapshot)
        self._used: dict[tuple[str, str], set[str]] = defaultdict(set)
        # The rows of full segments are in Parquet files alone, and it may refer to them later.
        self._all_used = {
            project_of(log.name.segment(0)) for log in snapshot.logs if not log.is_whole
        }
        self._gather()

    def is_used(self, table: str, project: str, entity: str) -> bool:
        """Return whether a shared row is in use."""
        return project in self._all_used or entity in self._used[table, project]

    def unused_rows(self, table: str, project: str, rows: pa.Table) -> pa.Table:
        """Return the rows of a shared table that are not in use."""
        if project in self._all_used:
            return rows.slice(0, 0)
        used = pa.array(sorted(self._used[table, project]), pa.string())
        return rows.filter(pc.invert(pc.is_in(rows[SHARED_KEYS[table]], used)))

    def is_young(self, info: FileInfo) -> bool:
        """Return whether a file was written lately."""
        return info.modified > self._cutoff

    def unused_objects(self) -> list[FileInfo]:
        """Return the objects, but for packs, that are neither in use nor young."""
        used = self._used_paths()
        return [
            info
            for folder in OBJECT_FOLDERS
            for info in self._snapshot.files.list(folder)
            if info.path not in used and not self.is_young(info)
        ]

    def variables_of_packs(self) -> dict[str, set[str]]:
        """Return the ids of the variables in use of each pack; empty sets for none."""
        packs: dict[str, set[str]] = defaultdict(set)
        names = ["variable_id", "pack_path"]
        # Not as readers see them: of a variable that is there twice any row may be left.
        for info in self._snapshot.table_files("variables"):
            rows = read_rows(self._snapshot.files, info.path, "variables", names)
            project = project_of(info.path)
            for variable, pack in zip(*(c.to_pylist() for c in rows.columns), strict=True):
                if self.is_used("variables", project, variable):
                    packs[pack].add(variable)
        for log in self._snapshot.logs:
            added = log.added("variables")
            for variable, pack in zip(
                added["variable_id"].to_pylist(), added["pack_path"].to_pylist(), strict=True
            ):
                packs[pack].add(variable)
        return packs

    def _gather(self) -> None:
        for table, column, target in _FROM_EXPERIMENTS:
            rows = self._tables.read(table, columns=["project", column])
            self._add_pairs(target, rows)
        names = ["project", "variable_ids"]
        for row in self._tables.read("checkpoints", columns=names).to_pylist():
            self._used["variables", row["project"]].update(row["variable_ids"] or ())
        for table in COLLECTED_TABLES:
            for project, ids in self._young_or_in_logs(table):
                self._used[table, project].update(ids)
        self._follow_models()

    def _follow_models(self) -> None:
        names = ["project", "model_id", *(column for column, _ in _FROM_MODELS)]
        for row in self._tables.read("models", columns=names).to_pylist():
            if self.is_used("models", row["project"], row["model_id"]):
                for column, target in _FROM_MODELS:
                    if row[column] is not None:
                        self._used[target, row["project"]].add(row[column])

    def _add_pairs(self, target: str, rows: pa.Table) -> None:
        for project, entity in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            if entity is not None:
                self._used[target, project].add(entity)

    def _young_or_in_logs(self, table: str) -> Iterator[tuple[str, Iterable[str]]]:
        key = SHARED_KEYS[table]
        for log in self._snapshot.logs:
            yield project_of(log.name.segment(0)), log.added(table)[key].to_pylist()
        for info in self._snapshot.table_files(table):
            if self.is_young(info):
                rows = read_rows(self._snapshot.files, info.path, table, [key])
                yield project_of(info.path), rows[key].to_pylist()

    def _used_paths(self) -> set[str]:
        architectures = self._tables.read("experiments", columns=["architecture_id"])
        ids = set(architectures["architecture_id"].to_pylist()) - {None}
        ids |= {
            each for (table, _), used in self._used.items() if table == "layers" for each in used
        }
        for project, table in ((p, t) for p in self._all_used for t in ("layers", "models")):
            rows = self._tables.read(table, project, ["architecture_id"])
            ids |= set(rows["architecture_id"].to_pylist())
        paths = set(self._tables.read("artifacts", columns=["path"])["path"].to_pylist())
        return paths | {layout.architecture_file(each) for each in ids}
