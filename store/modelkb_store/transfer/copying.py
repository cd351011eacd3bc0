"""Copying experiments from one store to another, with everything that they refer to."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import layout
from modelkb_store.architecture_file import read_architecture
from modelkb_store.backend import TableReader
from modelkb_store.errors import CorruptFileError
from modelkb_store.file_rows import without
from modelkb_store.files.content_hash import sha256_of
from modelkb_store.files.files import Files
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.keys import ADD_TABLES, PUT_TABLES, SHARED_KEYS
from modelkb_store.progress import Progress
from modelkb_store.records import Status
from modelkb_store.schemas import SCHEMAS
from modelkb_store.transfer.copy_target import CopyTarget
from modelkb_store.weights.pack import verify_pack

_BATCH = 500
_OF_EXPERIMENT = (*ADD_TABLES, *PUT_TABLES)
# What a store may get of an experiment by itself, long after it was copied there.
_ADDED_LATER = ("evaluations", "predictions")
_MOMENTS = ("experiment_id", "created_at")
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
    source: TableReader,
    target: CopyTarget,
    experiment_ids: Collection[str] | None = None,
    project: str | None = None,
    progress: Progress | None = None,
) -> Copied:
    """Copy experiments that the target lacks or has otherwise; others are left alone.

    What the target has got since of predictions and evaluations stays there; all else becomes as in
    the source. What is copied is checked against its hash on the way. A copy that was broken off is
    completed by the next. Neither store need be idle.

    Args:
        source: The tables of a store.
        target: Another one; see :func:`modelkb_store.transfer.copy_target.open_target`.
        experiment_ids: Whole ids; all by default.
        project: Only this project's experiments.
        progress: Told how many of how many experiments are through.

    Raises:
        CorruptFileError: Something to copy is damaged; what was copied before is whole.
        StoreUnreachableError: The network is away.
    """
    where = None if experiment_ids is None else {"experiment_id": list(experiment_ids)}
    here = _described(source, project, where)  # first: where nothing can be read nothing is made
    target.prepare()
    plan = _plan(here, _described(target.tables, project, where))
    done = object_bytes = 0
    for of_project, batch in _batches(plan):
        object_bytes += source.consistently(
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


@dataclass(frozen=True, slots=True)
class _Description:
    project: str
    status: str
    row: str
    counts: tuple[int, ...]
    later: frozenset[tuple[str, datetime]]

    def has_all(self, source: _Description) -> bool:
        """Return whether nothing of a source is missing or otherwise here."""
        return dataclasses.replace(self, later=source.later) == source and (
            self.later >= source.later
        )


def _plan(here: dict[str, _Description], there: dict[str, _Description]) -> _Plan:
    running = {run for run, known in here.items() if known.status == Status.RUNNING.value}
    others = set(here) - running
    new = others - set(there)
    changed = {run for run in others & set(there) if not there[run].has_all(here[run])}
    return _Plan(
        {run: known.project for run, known in here.items()},
        new,
        changed,
        running,
        len(others) - len(new) - len(changed),
    )


def _described(
    tables: TableReader, project: str | None, where: dict[str, list[str]] | None
) -> dict[str, _Description]:
    """Return what tells whether an experiment is the same in two stores."""
    counted: list[dict[str, int]] = []
    later: dict[str, set[tuple[str, datetime]]] = defaultdict(set)
    for table in _OF_EXPERIMENT:
        if table in _ADDED_LATER:
            rows = tables.read(table, project, _MOMENTS, where=where)
            for run, moment in _moments(rows):
                later[run].add((table, moment))
            continue
        rows = tables.read(table, project, ["experiment_id"], where=where)
        counts = pc.value_counts(rows["experiment_id"]).flatten()
        counted.append(dict(zip(*(array.to_pylist() for array in counts), strict=True)))
    return {
        row["experiment_id"]: _Description(
            row["project"],
            row["status"],
            repr(row),
            tuple(counts.get(row["experiment_id"], 0) for counts in counted),
            frozenset(later[row["experiment_id"]]),
        )
        for row in tables.read("experiments", project, where=where).to_pylist()
    }


def _moments(rows: pa.Table) -> Iterable[tuple[str, datetime]]:
    """Return the experiment and the time of each row of what is added later."""
    return zip(*(rows[name].to_pylist() for name in _MOMENTS), strict=True)


def _batches(plan: _Plan) -> Iterable[tuple[str, list[str]]]:
    for project in sorted(set(plan.project_of.values())):
        of_project = [run for run in plan.wanted if plan.project_of[run] == project]
        for start in range(0, len(of_project), _BATCH):
            yield project, of_project[start : start + _BATCH]


def _copy_batch(
    tables: TableReader, target: CopyTarget, project: str, batch: Sequence[str], plan: _Plan
) -> int:
    """Copy objects, then what is shared, then the experiments' rows, their own rows last."""
    experiments = tables.read("experiments", project, where={"experiment_id": batch})
    copied = _copy_shared(tables, target, project, experiments)
    copied += _copy_kept_files(tables, target, project, batch)
    target.keep_project(project, tables.read("projects", project, SCHEMAS["projects"].names))
    new, changed = plan.new & set(batch), plan.changed & set(batch)
    for table in sorted(_OF_EXPERIMENT, key=lambda table: table == "experiments"):
        names = SCHEMAS[table].names
        rows = tables.read(table, project, names, where={"experiment_id": batch})
        replaced = changed
        if changed and table in _ADDED_LATER:
            there = target.tables.read(table, project, names, where={"experiment_id": changed})
            whole = _having_all(there, rows)
            replaced = changed - whole
            rows = without(rows, "experiment_id", whole)
            there = without(there, "experiment_id", whole)
            rows = pa.concat_tables([rows, _later(there, rows)])
        target.put(table, project, rows, new=new, changed=replaced)
    target.show(new)  # one that was deleted there is wanted again
    return copied


def _having_all(there: pa.Table, rows: pa.Table) -> set[str]:
    """Return the experiments of which a target has all rows that a source has, or more."""
    known = {repr(row) for row in there.to_pylist()}
    lacking = {row["experiment_id"] for row in rows.to_pylist() if repr(row) not in known}
    return set(there["experiment_id"].to_pylist()) - lacking


def _later(there: pa.Table, rows: pa.Table) -> pa.Table:
    """Return what a target has of each experiment that is later than all that a source has."""
    last: dict[str, datetime] = {}
    for run, moment in _moments(rows):
        last[run] = max(moment, last.get(run, moment))
    are_later = [run not in last or moment > last[run] for run, moment in _moments(there)]
    return there.filter(pa.array(are_later, pa.bool_()))


def _copy_shared(
    tables: TableReader, target: CopyTarget, project: str, experiments: pa.Table
) -> int:
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
        known = target.tables.read(table, project, [key], where=where)[key].to_pylist()
        missing = sorted(entities - set(known))
        rows = tables.read(table, project, SCHEMAS[table].names, where={key: missing})
        if table == "variables":
            for pack in sorted(set(rows["pack_path"].to_pylist())):
                copied += _copy_object(tables.files, target, pack, _check_pack)
        target.keep_shared(table, project, rows)
    return copied


def _copy_kept_files(
    tables: TableReader, target: CopyTarget, project: str, batch: Sequence[str]
) -> int:
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


def _copy_object(
    source: Files, target: CopyTarget, path: str, check: Callable[[Path], None]
) -> int:
    """Copy a file unless it is there, and return its size."""
    if target.has_object(path) or not source.exists(path):
        return 0
    with tempfile.TemporaryDirectory(prefix="modelkb-") as folder:
        local = Path(folder) / Path(path).name
        with source.open(path) as file, local.open("wb") as copy:
            while block := file.read(1 << 22):
                copy.write(block)
        check(local)
        size = local.stat().st_size
        target.keep_object(path, local)
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
