"""Mending rows: what is there twice, what is lost, and what refers to what is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import layout
from modelkb_store._version import __version__
from modelkb_store.commits.rows import rewrite_rows
from modelkb_store.file_rows import project_of
from modelkb_store.files.files import Files
from modelkb_store.keys import SHARED_KEYS
from modelkb_store.project_names import project_folder
from modelkb_store.records import ExperimentRecord, ProjectRecord, Status
from modelkb_store.schemas import SCHEMAS
from modelkb_store.summaries import summarize
from modelkb_store.table_file import encode_rows, rows_of_records
from modelkb_store.tables import Tables
from modelkb_store.upkeep.finding import Finding
from modelkb_store.upkeep.manifest_edits import forget_deleted
from modelkb_store.upkeep.row_checks import CURVES
from modelkb_store.upkeep.set_aside import SetAside

_TIME_IN_ID = "%Y%m%d-%H%M%S%f"
_LOST_ROW = "the experiment's own row was lost, and made anew by `modelkb check --repair`"


def table_and_project(finding: Finding) -> tuple[str, str]:
    """Return what a finding about rows is about; its path is a folder or a file of a table."""
    table, folder = finding.path.split("/")[:2]
    return table, project_of(f"{table}/{folder}/rows")


def leave_one(files: Files, finding: Finding, aside: SetAside) -> list[str]:
    """Remove rows that are there twice."""
    table, project = table_and_project(finding)
    if table == "experiments":
        return _leave_one_experiment(files, aside, finding.ids[0])
    if table in SHARED_KEYS:
        key: tuple[str, ...] = (SHARED_KEYS[table],)
        key += ("position",) if table == "layers" else ()
    else:
        key = CURVES[table]
    change = _kept(aside, table, project, lambda rows: first_of_each(rows, key))
    if not rewrite_rows(files, table, project, change, values=finding.ids, column=key[0]):
        return []
    forget_deleted(files)
    return [f"of rows in {table}/{project_folder(project)} that were there twice one is left"]


def _leave_one_experiment(files: Files, aside: SetAside, run: str) -> list[str]:
    projects = sorted(
        pc.unique(
            Tables(files).read("experiments", where={"experiment_id": [run]})["project"]
        ).to_pylist(),
        # Where its curves are, there it belongs.
        key=lambda project: Tables(files).of_experiment("metrics", project, run).num_rows,
    )
    for project in projects:
        keep = 1 if project == projects[-1] else 0
        # The newest file is the last.
        change = _kept(
            aside,
            "experiments",
            project,
            lambda rows, n=keep: rows.slice(max(0, rows.num_rows - n)) if n else rows.slice(0, 0),  # type: ignore[misc]
        )
        rewrite_rows(files, "experiments", project, change, values=[run])
    return [f"of the rows of the experiment {run} the newest is left, in {projects[-1]!r}"]


def _kept(
    aside: SetAside, table: str, project: str, change: Callable[[pa.Table], pa.Table]
) -> Callable[[pa.Table], pa.Table]:
    """Return a change that sets the rows aside first that it is about."""

    def kept(rows: pa.Table) -> pa.Table:
        after = change(rows)
        if not after.equals(rows):
            aside.keep_rows(table, project, rows)
        return after

    return kept


def first_of_each(rows: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """Return the rows less those that have the same key as an earlier one."""
    seen: set[tuple[Any, ...]] = set()
    is_first = []
    for values in zip(*(rows[name].to_pylist() for name in key), strict=True):
        is_first.append(values not in seen)
        seen.add(values)
    return rows.filter(pa.array(is_first, pa.bool_()))


def make_experiments(files: Files, finding: Finding) -> list[str]:
    """Make rows of experiments of which there is something, but not their own row."""
    _, project = table_and_project(finding)
    tables = Tables(files)
    known = tables.read("experiments", columns=["experiment_id"])["experiment_id"].to_pylist()
    lost = sorted(set(finding.ids) - set(known))
    records = [_experiment_from_rest(tables, project, run) for run in lost]
    rows = rows_of_records("experiments", records)
    # Those that are there by now stay as they are.
    is_changed = rewrite_rows(
        files, "experiments", project, lambda old: old if old.num_rows else rows, values=lost
    )
    return [f"the experiment {run} has a row again, as interrupted" for run in lost if is_changed]


def _experiment_from_rest(tables: Tables, project: str, run: str) -> ExperimentRecord:
    epochs = tables.of_experiment("epochs", project, run)["epoch"]
    times = tables.of_experiment("metrics", project, run)["wall_time"]
    earliest = pc.min(times).as_py() or datetime.fromtimestamp(0, timezone.utc)
    try:
        text = run.rpartition("-")[0]
        started = datetime.strptime(text, _TIME_IN_ID).replace(tzinfo=timezone.utc)
    except ValueError:
        started = earliest
    return ExperimentRecord(
        experiment_id=run,
        name=run,
        owner="",
        status=Status.INTERRUPTED.value,
        started_at=started,
        host=None,
        process_id=None,
        modelkb_version=__version__,
        ended_at=pc.max(times).as_py(),
        epochs_completed=len(pc.unique(epochs)),
        problems=(_LOST_ROW,),
    )


def make_project(files: Files, finding: Finding) -> list[str]:
    """Make the row of a project that has experiments."""
    (project,) = finding.ids
    started = Tables(files).read("experiments", project, ["started_at"])["started_at"]
    record = ProjectRecord(created_at=pc.min(started).as_py() or datetime.now(timezone.utc))
    content = encode_rows("projects", rows_of_records("projects", [record]))
    files.write(layout.table_file("projects", project, "project"), memoryview(content))
    return [f"the project {project!r} has a row again"]


def clear_references(files: Files, finding: Finding) -> list[str]:
    """Clear a column of rows whose value refers to nothing; experiments note it."""
    table, project = table_and_project(finding)
    assert finding.column is not None
    if table == "experiments":
        return note_loss(files, finding.ids, finding.column)
    key, column = SHARED_KEYS[table], finding.column
    is_changed = rewrite_rows(
        files, table, project, lambda rows: _cleared(rows, column), values=finding.ids, column=key
    )
    return [f"{column} of {len(finding.ids)} rows in {finding.path} is cleared"] * is_changed


def note_loss(
    files: Files, ids: Collection[str], column: str | None, what: str | None = None
) -> list[str]:
    """Write into experiments' problems what is lost, and clear the column that refers to it."""
    rows = Tables(files).read("experiments", columns=["project", "experiment_id"])
    of_these = rows.filter(pc.is_in(rows["experiment_id"], pa.array(sorted(ids), pa.string())))
    done = []
    for project in sorted(pc.unique(of_these["project"]).to_pylist()):
        if rewrite_rows(
            files, "experiments", project, lambda old: _noted(old, column, what), values=ids
        ):
            done.append(f"experiments of {project!r} note the loss of {what or column}")
    return done


def _noted(rows: pa.Table, column: str | None, what: str | None) -> pa.Table:
    noted = []
    for row in rows.to_pylist():
        lost = what or f"{column} {row[column or '']}"
        problem = f"{lost} was lost, as found by `modelkb check --repair`"
        known = row["problems"] or []
        cleared = {column: None} if column else {}
        noted.append(
            {**row, **cleared, "problems": known if problem in known else [*known, problem]}
        )
    return pa.Table.from_pylist(noted, schema=SCHEMAS["experiments"])


def _cleared(rows: pa.Table, column: str) -> pa.Table:
    position = rows.schema.get_field_index(column)
    field = rows.schema.field(column)
    return rows.set_column(position, field, pa.nulls(rows.num_rows, field.type))


def remove_kept(
    files: Files,
    aside: SetAside,
    table: str,
    project: str,
    is_lost: Callable[[Any], bool],
    *,
    values: Collection[str],
    column: str = "experiment_id",
) -> bool:
    """Remove rows that cannot be of use any more; copies are set aside."""

    def change(rows: pa.Table) -> pa.Table:
        lost = pa.array([is_lost(row) for row in rows.to_pylist()], pa.bool_())
        gone = rows.filter(lost)
        if gone.num_rows:
            aside.keep_rows(table, project, gone)
        return rows.filter(pc.invert(lost))

    return rewrite_rows(files, table, project, change, values=values, column=column)


def summarize_again(files: Files, finding: Finding) -> list[str]:
    """Compute summaries of curves anew."""
    _, project = table_and_project(finding)
    where = {"experiment_id": list(finding.ids)}

    def change(_: pa.Table) -> pa.Table:
        return summarize(
            Tables(files).read("metrics", project, SCHEMAS["metrics"].names, where=where)
        )

    if not rewrite_rows(files, "metric_summaries", project, change, values=finding.ids):
        return []
    return [f"the summaries of {len(finding.ids)} experiments of {project!r} are computed anew"]
