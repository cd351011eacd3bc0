"""Changing and removing rows that are in Parquet files."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.files.files import Files
from modelkb_store.project_names import project_folder
from modelkb_store.snapshot import Snapshot
from modelkb_store.tables import read_rows


def replace_rows(
    files: Files, table: str, project: str, experiment_id: str, rows: pa.Table
) -> None:
    """Give an experiment these rows of a table, in place of all that it has in Parquet files."""
    folder = project_folder(project)

    def plan(snapshot: Snapshot) -> Replacement | None:
        without = _files_without(snapshot, table, folder, "experiment_id", [experiment_id])
        if not without and not rows.num_rows:
            return None
        add = [left for left in without.values() if left.num_rows]
        # One more row is cheaper to keep in the file that held the last.
        add = [pa.concat_tables([add[0], rows]), *add[1:]] if add else [rows]
        return Replacement(table, folder, list(without), [each for each in add if each.num_rows])

    commit(files, plan)


def remove_rows(
    files: Files, table: str, project: str, column: str, values: Collection[str]
) -> bool:
    """Remove the rows that have one of these values in a column; returns if there were any."""
    folder = project_folder(project)

    def plan(snapshot: Snapshot) -> Replacement | None:
        without = _files_without(snapshot, table, folder, column, values)
        if not without:
            return None
        left = [rows for rows in without.values() if rows.num_rows]
        return Replacement(table, folder, list(without), left)

    return commit(files, plan)


def _files_without(
    snapshot: Snapshot, table: str, folder: str, column: str, values: Collection[str]
) -> dict[str, pa.Table]:
    """Return what remains of each file that has such rows, by its path."""
    remains = {}
    wanted = pa.array(list(values), pa.string())
    for info in snapshot.table_files(table):
        if not info.path.startswith(f"{table}/{folder}/"):
            continue
        hit = read_rows(snapshot.files, info.path, table, [column], where={column: values})
        if hit.num_rows:
            rows = read_rows(snapshot.files, info.path, table)
            remains[info.path] = rows.filter(pc.invert(pc.is_in(rows[column], value_set=wanted)))
    return remains
