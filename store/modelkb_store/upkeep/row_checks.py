"""Checks of rows: none is there twice, and what they refer to is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.file_rows import project_of, read_rows
from modelkb_store.keys import ADD_TABLES, PUT_TABLES, SHARED_KEYS
from modelkb_store.project_names import project_folder
from modelkb_store.schemas import SCHEMAS
from modelkb_store.summaries import summarize
from modelkb_store.tables import Tables
from modelkb_store.upkeep.file_checks import REPAIR
from modelkb_store.upkeep.finding import Finding, Kind
from modelkb_store.upkeep.sound_snapshot import SoundSnapshot

# What of a row of a curve is there once.
CURVES = {
    "metrics": ("experiment_id", "epoch", "split", "metric"),
    "batch_metrics": ("experiment_id", "epoch", "step", "split", "metric"),
    "epochs": ("experiment_id", "epoch"),
}
# Two processes may store the same variable at once; readers take either.
_MAY_BE_TWICE = ("variables",)

# (table, column) to the shared table that has it.
REFERENCES = {
    ("experiments", "model_id"): "models",
    ("experiments", "dataset_id"): "datasets",
    ("experiments", "validation_dataset_id"): "datasets",
    ("experiments", "implementation_id"): "implementations",
    ("experiments", "environment_id"): "environments",
    ("models", "dataset_id"): "datasets",
    ("models", "implementation_id"): "implementations",
}
_OF_EXPERIMENT = tuple(t for t in (*ADD_TABLES, *PUT_TABLES, "trained_weights"))
_FIRST_WITH_SUMMARIES = 2
_SHOWN = 3


def check_rows(tables: Tables, snapshot: SoundSnapshot, version: int) -> Iterator[Finding]:
    """Look at what rows say of each other.

    Args:
        tables: The store.
        snapshot: The state that they are read of.
        version: Of the store's format: the first had no summaries.
    """
    yield from _doubled_experiments(tables)
    yield from _doubled_entities(snapshot)
    for table, key in CURVES.items():
        yield from _doubled_points(snapshot, table, key)
    yield from _rows_without_experiment(tables)
    for (table, column), target in REFERENCES.items():
        yield from _lost_entities(tables, table, column, target)
    yield from _projects_without_row(tables)
    if version >= _FIRST_WITH_SUMMARIES:
        yield from _wrong_summaries(tables, snapshot)


def by_project(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the projects of a table that has a column for them, and their rows."""
    for project in sorted(pc.unique(rows["project"]).to_pylist()):
        yield project, rows.filter(pc.equal(rows["project"], project))


def _doubled_experiments(tables: Tables) -> Iterator[Finding]:
    counts: dict[str, list[str]] = defaultdict(list)
    rows = tables.read("experiments", columns=["project", "experiment_id"])
    for project, run in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        counts[run].append(project)
    for run, projects in counts.items():
        if len(projects) > 1:
            path = f"experiments/{project_folder(projects[-1])}"
            problem = f"the experiment {run} is there {len(projects)} times"
            yield Finding(path, Kind.DOUBLED, problem, f"{REPAIR}leaves one row", (run,))


def _doubled_entities(snapshot: SoundSnapshot) -> Iterator[Finding]:
    for table, key in SHARED_KEYS.items():
        if table in _MAY_BE_TWICE:
            continue
        files_of: dict[tuple[str, str], list[str]] = defaultdict(list)
        for info in snapshot.table_files(table):
            rows = read_rows(snapshot.files, info.path, table, [key])
            for entity in pc.unique(rows[key]).to_pylist():
                files_of[project_of(info.path), entity].append(info.path)
        for (_, entity), paths in files_of.items():
            if len(paths) > 1:
                problem = f"{key} {entity} is there already in {paths[0]}"
                yield Finding(
                    paths[-1], Kind.DOUBLED, problem, f"{REPAIR}leaves one of them", (str(entity),)
                )


def _doubled_points(snapshot: SoundSnapshot, table: str, key: tuple[str, ...]) -> Iterator[Finding]:
    """Look for points of curves that two files have; only experiments in several files can."""
    files_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for info in snapshot.table_files(table):
        rows = read_rows(snapshot.files, info.path, table, ["experiment_id"])
        for run in pc.unique(rows["experiment_id"]).to_pylist():
            files_of[project_of(info.path), run].append(info.path)
    for (_, run), paths in files_of.items():
        seen: set[tuple[object, ...]] = set()
        for path in paths if len(paths) > 1 else ():
            where = {"experiment_id": [run]}
            rows = read_rows(snapshot.files, path, table, list(key), where)
            points = set(zip(*(column.to_pylist() for column in rows.columns), strict=True))
            doubled = len(points & seen)
            if doubled:
                problem = f"{doubled} rows of the experiment {run} are in another file, too"
                yield Finding(path, Kind.DOUBLED, problem, f"{REPAIR}leaves one of each", (run,))
            seen |= points


def _rows_without_experiment(tables: Tables) -> Iterator[Finding]:
    known = pc.unique(tables.read("experiments", columns=["experiment_id"])["experiment_id"])
    for table in _OF_EXPERIMENT:
        rows = tables.read(table, columns=["project", "experiment_id"])
        lost = pc.invert(pc.is_in(rows["experiment_id"], known))
        # Predictions of a model that nobody knows are of no experiment.
        rows = rows.filter(pc.and_(lost, pc.is_valid(rows["experiment_id"])))
        for project, of_project in by_project(rows):
            ids = sorted(pc.unique(of_project["experiment_id"]).to_pylist())
            path = f"{table}/{project_folder(project)}"
            problem = f"it has rows of experiments that have no row of their own: {_shown(ids)}"
            remedy = f"{REPAIR}makes their rows from what else is there"
            yield Finding(path, Kind.REFERENCE, problem, remedy, tuple(ids), "experiment_id")


def _lost_entities(tables: Tables, table: str, column: str, target: str) -> Iterator[Finding]:
    key = SHARED_KEYS[target]
    own = SHARED_KEYS.get(table, "experiment_id")
    there = tables.read(target, columns=["project", key])
    for project, every in by_project(tables.read(table, columns=["project", own, column])):
        known = there.filter(pc.equal(there["project"], project))[key]
        lost = pc.invert(pc.is_in(every[column], pc.unique(known)))
        rows = every.filter(pc.and_(lost, pc.is_valid(every[column])))
        if rows.num_rows:
            ids = sorted(pc.unique(rows[own]).to_pylist())
            missing = sorted(pc.unique(rows[column]).to_pylist())
            path = f"{table}/{project_folder(project)}"
            problem = f"{column} of {_shown(ids)} is not in the table {target}: {_shown(missing)}"
            remedy = f"{REPAIR}clears it"
            yield Finding(path, Kind.REFERENCE, problem, remedy, tuple(ids), column)


def _projects_without_row(tables: Tables) -> Iterator[Finding]:
    rows = tables.read("projects", columns=["project", "created_at"])
    there = pc.unique(rows["project"]).to_pylist()
    runs = tables.read("experiments", columns=["project"])
    for project in sorted(set(pc.unique(runs["project"]).to_pylist()) - set(there)):
        path = f"projects/{project_folder(project)}"
        problem = "the project has experiments, but no row of its own"
        yield Finding(path, Kind.REFERENCE, problem, f"{REPAIR}makes one", (project,), "project")


def _wrong_summaries(tables: Tables, snapshot: SoundSnapshot) -> Iterator[Finding]:
    # Those of experiments with a log are computed on reading.
    with_log = {log.experiment_id for log in snapshot.logs if log.experiment_id}
    names = ["project", *SCHEMAS["metric_summaries"].names]
    projects = {project_of(info.path) for info in snapshot.table_files("metrics")}
    projects |= {project_of(info.path) for info in snapshot.table_files("metric_summaries")}
    for project in sorted(projects):
        should = summaries_by_experiment(summarize(tables.read("metrics", project)))
        found = summaries_by_experiment(tables.read("metric_summaries", project, names[1:]))
        differ = {run for run in should.keys() | found.keys() if should.get(run) != found.get(run)}
        if differ - with_log:
            ids = sorted(differ - with_log)
            path = f"metric_summaries/{project_folder(project)}"
            problem = f"it is not what metrics say of {_shown(ids)}"
            remedy = f"{REPAIR}computes it anew"
            yield Finding(path, Kind.SUMMARY, problem, remedy, tuple(ids))


def summaries_by_experiment(rows: pa.Table) -> dict[str, list[str]]:
    """Return summaries in a form that can be compared: NaN equals NaN."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows.to_pylist():
        found[row["experiment_id"]].append(repr(row))
    return {run: sorted(texts) for run, texts in found.items()}


def _shown(ids: list[str]) -> str:
    more = len(ids) - _SHOWN
    return ", ".join(ids[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
