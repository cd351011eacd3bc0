"""Reading tables: of all projects or of one, from Parquet files and running experiments' logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.edited_rows import with_edits
from modelkb_store.experiment_record import Status
from modelkb_store.file_rows import (
    PROJECT,
    FileRows,
    OnDamaged,
    not_seen,
    of_project,
    read_rows,
    without,
)
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.keys import ORDERED_BY, SHARED_KEYS, key_of
from modelkb_store.log.log_contents import LogContents
from modelkb_store.log.segment import BY_EPOCH, before_epoch
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.shared_snapshots import SharedSnapshots
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.summaries import summarize
from modelkb_store.table_file import Where, matching

T = TypeVar("T")


class Tables:
    """The tables of one store, as Arrow tables, each read of one state of it.

    Args:
        files: The store.
        snapshot: The state to read; by default each read looks anew.
        on_damaged: Told of each damaged file, whose rows are then left out; by default the
            error is raised.
    """

    def __init__(
        self,
        files: Files,
        snapshot: Snapshot | None = None,
        on_damaged: OnDamaged | None = None,
    ) -> None:
        self.files = files
        self._snapshot = snapshot
        self._file_rows = FileRows(on_damaged)
        self._snapshots = SharedSnapshots(files)
        self._only: str | None = None

    def of_project(self, project: str) -> Tables:
        """Return the same tables as if the store had this project alone."""
        tables = Tables(self.files, self._snapshot)
        tables._file_rows, tables._snapshots = self._file_rows, self._snapshots
        tables._only = project
        return tables

    def read(
        self,
        table: str,
        project: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> pa.Table:
        """Read a table of all projects, or of one.

        Args:
            table: A key of :data:`modelkb_store.schemas.SCHEMAS`.
            project: Only this project's rows.
            columns: Only these columns; ``project`` may be among them. All by default,
                ``project`` first.
            where: Only rows with these values, by column.

        Raises:
            CorruptFileError: A file of the table cannot be read, and nobody is told of it.
        """
        names = list(columns if columns is not None else [PROJECT.name, *SCHEMAS[table].names])
        if self._only is not None:
            if project not in (None, self._only):
                return pa.schema([PROJECT, *SCHEMAS[table]]).empty_table().select(names)
            project = self._only
        folder = None if project is None else project_folder(project)
        if self._snapshot is not None:
            return _read(self._snapshot, self._file_rows, table, folder, names, where)
        return self._look(lambda now: _read(now, self._file_rows, table, folder, names, where))

    def consistently(self, action: Callable[[Tables], T]) -> T:
        """Return what an action makes of several tables, all of them of one state."""
        return self._look(lambda now: action(self._at(now)))

    def _look(self, action: Callable[[Snapshot], T]) -> T:
        return consistently(self.files, action, take=self._snapshots.take)

    def _at(self, snapshot: Snapshot) -> Tables:
        """Return the tables at one state of the store, which keep with these what is read."""
        tables = Tables(self.files, snapshot)
        tables._file_rows, tables._only = self._file_rows, self._only
        return tables

    def of_experiment(self, table: str, project: str, experiment_id: str) -> pa.Table:
        """Read the rows of one experiment; none if nothing was recorded of it there."""
        names = SCHEMAS[table].names
        rows = self.read(table, project, names, where={"experiment_id": [experiment_id]})
        return in_order(table, rows)

    def of_entity(self, table: str, project: str, entity_id: str | None) -> pa.Table:
        """Read the rows of a shared entity, such as an environment; none without an id."""
        if entity_id is None:
            return SCHEMAS[table].empty_table()
        names = SCHEMAS[table].names
        return self.read(table, project, names, where={SHARED_KEYS[table]: [entity_id]})


def in_order(table: str, rows: pa.Table) -> pa.Table:
    """Return the rows of one experiment in the order that they were recorded in.

    Merging files may have changed it where a run went on later.
    """
    if table not in ORDERED_BY or not rows.num_rows:
        return rows
    # The last of these is what lexsort orders by first; it leaves equal ones as they are.
    columns = [rows[name].cast(pa.int64()).fill_null(0) for name in reversed(ORDERED_BY[table])]
    order = np.lexsort([column.to_numpy() for column in columns])
    return rows if np.all(order[:-1] < order[1:]) else rows.take(pa.array(order))


def _read(
    snapshot: Snapshot,
    file_rows: FileRows,
    table: str,
    folder: str | None,
    columns: Sequence[str],
    where: Where | None,
) -> pa.Table:
    # Arrow counts the rows of no column as none.
    key = key_of(table) or SCHEMAS[table].names[0]
    needed = [name for name in columns if name != PROJECT.name]
    names = [*needed, key]
    if table in BY_EPOCH and any(log.cut is not None for log in snapshot.logs):
        names.append("epoch")
    names = list(dict.fromkeys(names))
    parts = list(_parts(snapshot, file_rows, table, folder, names, where))
    schema = pa.schema([SCHEMAS[table].field(name) for name in names])
    rows = pa.concat_tables([schema.insert(0, PROJECT).empty_table(), *parts])
    if table == "experiments" and not {"tags", "notes"}.isdisjoint(needed):
        rows = with_edits(rows, snapshot, lambda runs: _in_files(snapshot, file_rows, runs))
    if table == "experiments" and "status" in needed:
        rows = _with_true_status(rows, snapshot)
    return rows.select(columns)


def _parts(
    snapshot: Snapshot,
    file_rows: FileRows,
    table: str,
    folder: str | None,
    columns: Sequence[str],
    where: Where | None,
) -> Iterator[pa.Table]:
    if table == "metric_summaries" and not snapshot.table_files(table):
        yield from _summaries_of_version_1(snapshot, folder, columns, where)
    seen: dict[str, set[str]] = defaultdict(set)
    infos = _files_that_may_have(snapshot, table, folder, where)
    for place, rows in file_rows.read(snapshot.files, infos, table, columns, where):
        valid = _still_valid(rows, table, snapshot, place)
        yield not_seen(valid, table, seen[place])
    yield from _parts_of_logs(snapshot, table, folder, columns, where, seen)


def _parts_of_logs(
    snapshot: Snapshot,
    table: str,
    folder: str | None,
    columns: Sequence[str],
    where: Where | None,
    seen: dict[str, set[str]],
) -> Iterator[pa.Table]:
    """Yield the rows that logs add; of many logs together, since each step takes its time."""
    runs = _runs_asked_for(table, where)
    parts: list[pa.Table] = []
    summarized: set[str | None] = set()
    for log in snapshot.logs:
        if folder is not None and log.name.project_folder != folder:
            continue
        if runs is not None and log.experiment_id is not None and log.experiment_id not in runs:
            continue  # a log has no rows of other experiments
        if table == "metric_summaries" and log.experiment_id in summarized:
            continue  # those of one log are of all that the experiment has
        rows = _kept_rows_of_log(snapshot, log, table)
        summarized.add(log.experiment_id if rows.num_rows else None)
        if rows.num_rows:
            parts.append(not_seen(rows, table, seen[log.name.project_folder]))
    if parts:
        names = [PROJECT.name, *columns]
        rows = matching(pa.concat_tables(parts), where)
        yield _not_deleted(rows, snapshot).select(names)


def _in_files(snapshot: Snapshot, file_rows: FileRows, experiment_ids: Collection[str]) -> pa.Table:
    """Return what Parquet files have of the tags and notes of experiments, whatever logs say."""
    names, where = ["experiment_id", "tags", "notes"], {"experiment_id": experiment_ids}
    schema = pa.schema([PROJECT, *(SCHEMAS["experiments"].field(name) for name in names)])
    infos = _files_that_may_have(snapshot, "experiments", None, where)
    found = file_rows.read(snapshot.files, infos, "experiments", names, where)
    return pa.concat_tables([schema.empty_table(), *(rows for _, rows in found)])


def rows_of_log(snapshot: Snapshot, log: LogContents, table: str) -> pa.Table:
    """Return what a log adds to a table, or has in place of the experiment's rows there."""
    if table == "metric_summaries":
        return _summaries_of_log(snapshot, log)
    later = snapshot.later_logs(log)
    if table in log.put:
        is_void = any(table in each.put for each in later)
        return SCHEMAS[table].empty_table() if is_void else log.put[table]
    rows = log.added(table)
    if table in BY_EPOCH:
        for each in later:
            rows = rows if each.cut is None else before_epoch(rows, each.cut)
    return rows


def _kept_rows_of_log(snapshot: Snapshot, log: LogContents, table: str) -> pa.Table:
    """Return the same with the project, made once as long as nothing comes to the log."""
    is_alone = log.is_first and log.is_whole and snapshot.is_only_log(log)
    rows = log.rows_by_table.get(table) if is_alone else None
    if rows is None:
        rows = once(rows_of_log(snapshot, log, table), table)
        rows = of_project(rows, log.name.project_folder)
        if is_alone:
            log.rows_by_table[table] = rows
    return rows


def _runs_asked_for(table: str, where: Where | None) -> Collection[str] | None:
    """Return the only experiments whose rows are wanted; None if it may be any."""
    return (where or {}).get("experiment_id") if key_of(table) == "experiment_id" else None


def _summaries_of_log(snapshot: Snapshot, log: LogContents) -> pa.Table:
    """Return the summaries of all curves that a log adds to."""
    if not log.changes_summaries or log.experiment_id is None:
        return SCHEMAS["metric_summaries"].empty_table()
    if log.is_first and log.is_whole and snapshot.is_only_log(log):
        return summarize(log.added("metrics"))
    where = {"experiment_id": [log.experiment_id]}
    folder = log.name.project_folder
    names = SCHEMAS["metrics"].names
    return summarize(_read(snapshot, FileRows(), "metrics", folder, names, where))


def _summaries_of_version_1(
    snapshot: Snapshot, folder: str | None, columns: Sequence[str], where: Where | None
) -> Iterator[pa.Table]:
    """Yield summaries for a store of the first format, which has none and cannot be upgraded."""
    of_runs = {name: values for name, values in (where or {}).items() if name == "experiment_id"}
    parts: dict[str, list[pa.Table]] = defaultdict(list)
    for info in snapshot.table_files("metrics"):
        if folder in (None, info.folder):
            rows = read_rows(snapshot.files, info.path, "metrics", where=of_runs)
            parts[info.folder].append(_still_valid(rows, "metrics", snapshot, info.folder))
    for place, found in parts.items():
        rows = matching(summarize(pa.concat_tables(found)), where)
        rows = _still_valid(rows, "metric_summaries", snapshot, place)
        yield of_project(rows.select(columns), place)


def _still_valid(rows: pa.Table, table: str, snapshot: Snapshot, folder: str) -> pa.Table:
    """Return rows of a project's Parquet files less those that its logs and deletions void."""
    rows = _not_deleted(rows, snapshot)
    if key_of(table) != "experiment_id" or table in SHARED_KEYS:
        return rows
    logs = [log for log in snapshot.logs if log.name.project_folder == folder]
    void = {log.experiment_id for log in logs if is_void_by_log(log, table)}
    rows = without(rows, "experiment_id", void)
    if table in BY_EPOCH:
        for log in logs:
            if log.cut is not None:
                others = pc.not_equal(rows["experiment_id"], log.experiment_id or "")
                rows = rows.filter(pc.or_(others, pc.less(rows["epoch"], log.cut)))
    return rows


def is_void_by_log(log: LogContents, table: str) -> bool:
    """Return whether a log has all rows of its experiment, so that those in files are void."""
    if table == "metric_summaries":
        return log.changes_summaries
    return table in log.put


def _not_deleted(rows: pa.Table, snapshot: Snapshot) -> pa.Table:
    if "experiment_id" not in rows.column_names:
        return rows
    return without(rows, "experiment_id", snapshot.deleted)


def once(rows: pa.Table, table: str) -> pa.Table:
    """Return the rows of each shared entity once, also where a log has them twice."""
    key = SHARED_KEYS.get(table)
    if key is None or rows.num_rows < 2:
        return rows
    codes = pc.rank(rows[key], tiebreaker="min").to_numpy()
    # Of layers an entity has several.
    places = rows["position"].to_numpy() if table == "layers" else np.zeros(len(codes), np.int64)
    _, first = np.unique(np.stack([codes, places]), axis=1, return_index=True)
    return rows.take(np.sort(first)) if len(first) < len(codes) else rows


def _files_that_may_have(
    snapshot: Snapshot, table: str, folder: str | None, where: Where | None
) -> list[FileInfo]:
    """Return the files of a table, or of a project's, that may have rows with some values."""
    values = (where or {}).get(key_of(table) or "")
    return [
        info
        for info in snapshot.table_files(table)
        if (folder is None or info.path.startswith(f"{table}/{folder}/"))
        and (values is None or _may_have(snapshot, info, values))
    ]


def _may_have(snapshot: Snapshot, info: FileInfo, values: Collection[str]) -> bool:
    known = snapshot.manifest.files.get(info.path)
    if known is None or known.first_key is None or known.last_key is None:
        return True
    return any(known.first_key <= value <= known.last_key for value in values)


def _with_true_status(rows: pa.Table, snapshot: Snapshot) -> pa.Table:
    """Call what says that it runs interrupted, where no process of it does."""
    runs = pc.equal(rows["status"], Status.RUNNING.value)
    alive = snapshot.alive(set(rows["experiment_id"].filter(runs).to_pylist()))
    dead = pc.and_(
        runs, pc.invert(pc.is_in(rows["experiment_id"], pa.array(sorted(alive), pa.string())))
    )
    if not pc.any(dead).as_py():
        return rows
    status = pc.if_else(dead, Status.INTERRUPTED.value, rows["status"])
    return rows.set_column(rows.schema.get_field_index("status"), "status", status)
