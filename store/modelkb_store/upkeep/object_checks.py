"""Checks of objects that rows refer to: architectures, kept files, packs of variables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pyarrow.compute as pc

from modelkb_store import layout
from modelkb_store.architecture_file import read_architecture
from modelkb_store.errors import CorruptFileError, ModelKBError
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.project_names import project_folder
from modelkb_store.tables import Tables
from modelkb_store.upkeep.file_checks import REPAIR, check_content
from modelkb_store.upkeep.finding import Finding, Kind
from modelkb_store.upkeep.row_checks import by_project
from modelkb_store.upkeep.sound_snapshot import Verdicts
from modelkb_store.weights.pack import opened_pack, read_variable

_NOTES = f"restore it from a backup, else {REPAIR}notes it in the experiments"


def check_objects(tables: Tables, verdicts: Verdicts) -> Iterator[Finding]:
    """Look at the objects that rows refer to; those that none refers to are passed over."""
    there = {info.path: info for info in tables.files.list("objects")}
    yield from _architectures(tables, there, verdicts)
    yield from _kept_files(tables, there, verdicts)
    yield from _lost_variables(tables)
    yield from _packs(tables, there, verdicts)


def _architectures(
    tables: Tables, there: dict[str, FileInfo], verdicts: Verdicts
) -> Iterator[Finding]:
    used = _architectures_in_use(tables)
    for architecture, ids in sorted(used.items()):
        path = layout.architecture_file(architecture)
        info = there.get(path)
        if info is None:
            yield _missing(path, ids)
            continue
        problem = verdicts.of(info, lambda p=path: _check_architecture(tables.files, p))  # type: ignore[misc]
        if problem is not None:
            yield Finding(path, Kind.DAMAGED, problem, _NOTES, tuple(sorted(ids)))


def _architectures_in_use(tables: Tables) -> dict[str, set[str]]:
    """Return the experiments of each architecture; none for one that only models have."""
    used: dict[str, set[str]] = defaultdict(set)
    rows = tables.read("experiments", columns=["experiment_id", "architecture_id"])
    for run, architecture in zip(*(c.to_pylist() for c in rows.columns), strict=True):
        if architecture is not None:
            used[architecture].add(run)
    return used


def _kept_files(
    tables: Tables, there: dict[str, FileInfo], verdicts: Verdicts
) -> Iterator[Finding]:
    columns = ["experiment_id", "path", "sha256", "size_bytes"]
    ids_of: dict[tuple[str, str | None, int | None], set[str]] = defaultdict(set)
    for row in tables.read("artifacts", columns=columns).to_pylist():
        ids_of[row["path"], row["sha256"], row["size_bytes"]].add(row["experiment_id"])
    for (path, sha256, size), ids in sorted(ids_of.items(), key=repr):
        info = there.get(path)
        if info is None:
            yield _missing(path, ids)
            continue
        problem = verdicts.of(
            info,
            lambda i=info, n=size, s=sha256: check_content(tables.files, i, n, s),  # type: ignore[misc]
            size,
            sha256,
        )
        if problem is not None:
            yield Finding(path, Kind.DAMAGED, problem, _NOTES, tuple(sorted(ids)))


def _lost_variables(tables: Tables) -> Iterator[Finding]:
    columns = ["project", "experiment_id", "variable_ids"]
    known = tables.read("variables", columns=["project", "variable_id"])
    for project, rows in by_project(tables.read("checkpoints", columns=columns)):
        there = set(known.filter(pc.equal(known["project"], project))["variable_id"].to_pylist())
        lost: dict[str, set[str]] = defaultdict(set)
        for row in rows.to_pylist():
            missing = set(row["variable_ids"] or ()) - there
            if missing:
                lost[row["experiment_id"]] |= missing
        if lost:
            path = f"checkpoints/{project_folder(project)}"
            count = len(set.union(*lost.values()))
            problem = f"{count} variables of its checkpoints are not in the table variables"
            remedy = f"{REPAIR}notes it in the experiments"
            ids = tuple(sorted(lost))
            yield Finding(path, Kind.REFERENCE, problem, remedy, ids, "variable_ids")


def _packs(tables: Tables, there: dict[str, FileInfo], verdicts: Verdicts) -> Iterator[Finding]:
    rows_of: dict[str, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    names = ["variable_id", "dtype", "shape", "size_bytes", "pack_path"]
    for row in tables.read("variables", columns=names).to_pylist():
        facts = (row["dtype"], tuple(row["shape"] or ()), row["size_bytes"])
        rows_of[row["pack_path"]][row["variable_id"]] = facts
    for path, variables in sorted(rows_of.items()):
        info = there.get(path)
        if info is None:
            yield _missing(path, ())
            continue
        problem = verdicts.of(
            info,
            lambda p=path, v=variables: _check_pack(tables.files, p, v),  # type: ignore[misc]
            tuple(sorted(variables)),
        )
        if problem is not None:
            yield Finding(path, Kind.DAMAGED, problem, _NOTES)


def _check_architecture(files: Files, path: str) -> None:
    found = read_architecture(files, path).architecture_id
    if found != PurePosixPath(path).stem:
        reason = f"it holds the architecture {found}"
        raise CorruptFileError(path, reason) from ValueError(reason)


def _check_pack(files: Files, path: str, variables: dict[str, tuple[Any, ...]]) -> None:
    with files.open(path) as opened, opened_pack(opened, name=path) as file:
        for variable_id, facts in sorted(variables.items()):
            try:
                variable = read_variable(file, variable_id, name=path)
            except ModelKBError as error:
                raise ValueError(
                    f"the variable {variable_id}: {error.__cause__ or error}"
                ) from error
            found = (variable.dtype, variable.values.shape, variable.size_bytes)
            if found != facts:
                raise ValueError(f"the variable {variable_id} is {found}, not {facts}")


def _missing(path: str, ids: set[str] | tuple[str, ...]) -> Finding:
    problem = "rows refer to it, but it is not there"
    return Finding(path, Kind.MISSING, problem, _NOTES, tuple(sorted(ids)))
