"""Copying experiments from one store to another, with everything that they refer to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import layout
from modelkb_store.architecture_file import read_architecture
from modelkb_store.commits.rows import remove_rows, replace_rows
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.errors import CorruptFileError
from modelkb_store.files.content_hash import sha256_of
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.keys import ADD_TABLES, PUT_TABLES, SHARED_KEYS
from modelkb_store.progress import Progress
from modelkb_store.project_names import project_folder
from modelkb_store.records import Status
from modelkb_store.schemas import SCHEMAS
from modelkb_store.tables import Tables
from modelkb_store.weights.pack import verify_pack

_BATCH = 500
_OF_EXPERIMENT = (*ADD_TABLES, *PUT_TABLES)
# Which column of an experiment's row leads to which shared table.
_REFERENCES = {
    "models": ("model_id",),
    "layers": ("architecture_id",),
    "datasets": ("dataset_id", "validation_dataset_id"),
    "implementations": ("implementation_id",),
    "environments": ("environment_id",),
}


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has done.

    Attributes:
        new: Ids of experiments that the target did not have.
        changed: Ids of those that it had otherwise.
        unchanged: How many it had as they are.
        running: Ids of those that run, and were left for another time.
        object_bytes: Size of the weights, architectures and files that went over.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int
    running: tuple[str, ...]
    object_bytes: int


def copy_experiments(
    source: Files,
    target: Files,
    experiment_ids: Collection[str] | None = None,
    project: str | None = None,
    progress: Progress | None = None,
) -> Copied:
    """Copy experiments that the target lacks or has otherwise; others are left alone.

    What is copied is checked against its hash on the way. A copy that was broken off is completed
    by the next. Neither store need be idle.

    Args:
        source: A store.
        target: A store, or an empty place that becomes one.
        experiment_ids: Whole ids; all by default.
        project: Only this project's experiments.
        progress: Told how many of how many experiments are through.

    Raises:
        CorruptFileError: Something to copy is damaged; what was copied before is whole.
        StoreUnreachableError: The network is away.
    """
    layout.create_store(target)
    plan = _plan(source, target, experiment_ids, project)
    done = object_bytes = 0
    for of_project, batch in _batches(plan):
        tables = Tables(source)
        object_bytes += tables.consistently(
            lambda now, p=of_project, b=batch: _copy_batch(now, target, p, b, plan)  # type: ignore[misc]
        )
        done += len(batch)
        if progress is not None:
            progress(done, len(plan.wanted))
    return Copied(
        tuple(sorted(plan.new)),
        tuple(sorted(plan.changed)),
        plan.unchanged,
        tuple(sorted(plan.running)),
        object_bytes,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    project_of: dict[str, str]
    new: set[str]
    changed: set[str]
    running: set[str]
    unchanged: int

    @property
    def wanted(self) -> list[str]:
        return sorted(self.new | self.changed)


def _plan(source: Files, target: Files, ids: Collection[str] | None, project: str | None) -> _Plan:
    where = None if ids is None else {"experiment_id": list(ids)}
    here = _described(Tables(source), project, where)
    there = _described(Tables(target), project, where)
    running = {run for run, known in here.items() if known.status == Status.RUNNING.value}
    others = set(here) - running
    new = others - set(there)
    changed = {run for run in others & set(there) if here[run] != there[run]}
    return _Plan(
        {run: known.project for run, known in here.items()},
        new,
        changed,
        running,
        len(others) - len(new) - len(changed),
    )


@dataclass(frozen=True, slots=True)
class _Description:
    project: str
    status: str
    row: str
    counts: tuple[int, ...]


def _described(
    tables: Tables, project: str | None, where: dict[str, list[str]] | None
) -> dict[str, _Description]:
    """Return what tells whether an experiment is the same in two stores."""
    counted: list[dict[str, int]] = []
    for table in _OF_EXPERIMENT:
        rows = tables.read(table, project, ["experiment_id"], where=where)
        counts = pc.value_counts(rows["experiment_id"]).flatten()
        counted.append(dict(zip(*(array.to_pylist() for array in counts), strict=True)))
    return {
        row["experiment_id"]: _Description(
            row["project"],
            row["status"],
            repr(row),
            tuple(counts.get(row["experiment_id"], 0) for counts in counted),
        )
        for row in tables.read("experiments", project, where=where).to_pylist()
    }


def _batches(plan: _Plan) -> Iterable[tuple[str, list[str]]]:
    for project in sorted(set(plan.project_of.values())):
        of_project = [run for run in plan.wanted if plan.project_of[run] == project]
        for start in range(0, len(of_project), _BATCH):
            yield project, of_project[start : start + _BATCH]


def _copy_batch(
    tables: Tables, target: Files, project: str, batch: Sequence[str], plan: _Plan
) -> int:
    """Copy objects, then what is shared, then the experiments' rows, their own rows last."""
    experiments = tables.read("experiments", project, where={"experiment_id": batch})
    copied = _copy_shared(tables, target, project, experiments)
    copied += _copy_kept_files(tables, target, project, batch)
    if not target.exists(layout.table_file("projects", project, "project")):
        for info in tables.files.list(layout.table_folder("projects", project)):
            target.write(info.path, tables.files.read(info.path))
    for table in sorted(_OF_EXPERIMENT, key=lambda table: table == "experiments"):
        names = SCHEMAS[table].names
        rows = tables.read(table, project, names, where={"experiment_id": batch})
        new = rows.filter(pc.is_in(rows["experiment_id"], pa.array(sorted(plan.new), pa.string())))
        # Of a copy that was broken off.
        remove_rows(target, table, project, "experiment_id", plan.new & set(batch))
        _add(target, table, project, new)
        for run in sorted(plan.changed & set(batch)):
            of_run = rows.filter(pc.equal(rows["experiment_id"], run))
            replace_rows(target, table, project, run, of_run)
    for run in plan.new & set(batch):  # one that was deleted there is wanted again
        target.delete(layout.tombstone_file(run))
    return copied


def _copy_shared(tables: Tables, target: Files, project: str, experiments: pa.Table) -> int:
    ids = experiments["experiment_id"].to_pylist()
    wanted = {
        table: {value for name in columns for value in experiments[name].to_pylist() if value}
        for table, columns in _REFERENCES.items()
    }
    checkpoints = tables.read("checkpoints", project, where={"experiment_id": ids})
    variables = pc.list_flatten(checkpoints["variable_ids"]).to_pylist()
    wanted["variables"] = set(variables)
    trained = tables.read("trained_weights", project, where={"experiment_id": ids})
    wanted["trained_weights"] = set(trained["weights_id"].to_pylist())
    copied = 0
    for architecture in sorted(wanted["layers"]):
        path = layout.architecture_file(architecture)
        copied += _copy_object(tables.files, target, path, _check_architecture)
    for table, entities in wanted.items():
        key = SHARED_KEYS[table]
        where = {key: sorted(entities)}
        known = Tables(target).read(table, project, [key], where=where)[key].to_pylist()
        missing = sorted(entities - set(known))
        rows = tables.read(table, project, SCHEMAS[table].names, where={key: missing})
        if table == "variables":
            for pack in sorted(set(rows["pack_path"].to_pylist())):
                copied += _copy_object(tables.files, target, pack, _check_pack)
        _add(target, table, project, rows)
    return copied


def _copy_kept_files(tables: Tables, target: Files, project: str, batch: Sequence[str]) -> int:
    rows = tables.read("artifacts", project, ["path", "sha256"], where={"experiment_id": batch})
    return sum(
        _copy_object(
            tables.files,
            target,
            row["path"],
            lambda file, s=row["sha256"]: _check_hash(file, s),  # type: ignore[misc]
        )
        for row in rows.to_pylist()
    )


def _add(target: Files, table: str, project: str, rows: pa.Table) -> None:
    if rows.num_rows:
        folder = project_folder(project)
        commit(target, lambda _: Replacement(table, folder, (), [rows]))


def _copy_object(source: Files, target: Files, path: str, check: Callable[[Path], None]) -> int:
    """Copy a file unless it is there, and return its size."""
    if target.exists(path) or not source.exists(path):
        return 0
    with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
        local = Path(folder) / Path(path).name
        with source.open(path) as file, local.open("wb") as copy:
            while block := file.read(1 << 22):
                copy.write(block)
        check(local)
        size = local.stat().st_size
        target.write_file(path, local)
    return size


def _check_architecture(file: Path) -> None:
    found = read_architecture(LocalFiles(file.parent), file.name).architecture_id
    if found != file.stem:
        raise CorruptFileError(file.name, f"it holds the architecture {found}")


def _check_pack(file: Path) -> None:
    verify_pack(file)


def _check_hash(file: Path, sha256: str) -> None:
    with file.open("rb") as opened:
        found = sha256_of(opened)
    if found != sha256:
        raise CorruptFileError(file.name, "its content is not that of its hash")
