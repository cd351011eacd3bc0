"""Changing and removing rows that are in Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.file_rows import read_rows
from modelkb_store.files.files import Files
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot


def rewrite_rows(
    files: Files,
    table: str,
    project: str,
    change: Callable[[pa.Table], pa.Table],
    *,
    values: Collection[str],
    column: str = "experiment_id",
) -> bool:
    """Put what becomes of some rows in their place, in one commit.

    Rows in the logs of running experiments are left alone.

    Args:
        files: The store.
        table: The table.
        project: The project.
        change: Gets the rows, those of older files first, and returns what is to be there
            instead.
        values: Which rows: those that have one of these values.
        column: The column of them.

    Returns:
        Whether anything is otherwise than before.
    """
    folder = project_folder(project)
    wanted = pa.array(sorted(values), pa.string())

    def plan(snapshot: Snapshot) -> Replacement | None:
        hits, kept, paths = [SCHEMAS[table].empty_table()], [], []
        infos = [i for i in snapshot.table_files(table) if i.path.startswith(f"{table}/{folder}/")]
        for info in sorted(infos, key=lambda info: info.modified):
            some = read_rows(files, info.path, table, [column], {column: values})
            if some.num_rows:
                rows = read_rows(files, info.path, table)
                is_hit = pc.fill_null(pc.is_in(rows[column], wanted), False)
                hits.append(rows.filter(is_hit))
                kept.append(rows.filter(pc.invert(is_hit)))
                paths.append(info.path)
        before = pa.concat_tables(hits)
        after = change(before)
        if after.equals(before):
            return None
        # One more row is cheaper to keep in a file that there is.
        add = [pa.concat_tables([*kept[:1], after]), *kept[1:]]
        return Replacement(table, folder, paths, [rows for rows in add if rows.num_rows])

    return commit(files, plan)


def replace_rows(
    files: Files, table: str, project: str, experiment_id: str, rows: pa.Table
) -> None:
    """Give an experiment these rows of a table, in place of all that it has in Parquet files."""
    rewrite_rows(files, table, project, lambda _: rows, values=[experiment_id])


def remove_rows(
    files: Files, table: str, project: str, column: str, values: Collection[str]
) -> bool:
    """Remove the rows that have one of these values in a column; returns if there were any."""

    def none_of(rows: pa.Table) -> pa.Table:
        return rows.slice(0, 0)

    return rewrite_rows(files, table, project, none_of, values=values, column=column)
