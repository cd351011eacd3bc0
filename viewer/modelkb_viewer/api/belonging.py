"""Of which project experiments are, so that nobody changes those of another one by their ids."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from http import HTTPStatus

import pyarrow as pa

from modelkb_store import Store
from modelkb_store.files.files import Files
from modelkb_store.layout import tombstone_file
from modelkb_store.log.line_check import owners_of
from modelkb_store.log.log_name import LogName, parse_segment
from modelkb_store.project_names import project_folder
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.tables import Tables
from modelkb_viewer.api.problems import RefusedError

_COLUMNS = ["project", "experiment_id"]


@functools.lru_cache(maxsize=4096)  # a log comes in many pieces; what is refused is not kept
def check_log(store: Store, name: LogName) -> None:
    """Pass if a log is of no experiment of another project; see :func:`check_experiments`."""
    check_experiments(store, name.project_folder, owners_of(name))


def check_experiments(store: Store, folder: str, experiment_ids: Collection[str]) -> None:
    """Pass if none of some experiments is of another project, not even a deleted one.

    Args:
        store: The whole store.
        folder: The folder of the project that they should be of.
        experiment_ids: Whole ids; those that the store does not have pass.

    Raises:
        RefusedError: One is of another project.
    """
    wanted = set(experiment_ids)
    for experiment_id, found in _folders(store, wanted):
        if found != folder:
            detail = f"The experiment {experiment_id} is of another project."
            raise RefusedError(HTTPStatus.CONFLICT, detail)


def _folders(store: Store, wanted: set[str]) -> Iterator[tuple[str, str]]:
    """Yield experiments, and the folders of projects where something is of them."""
    files = store.files
    where = {"experiment_id": sorted(wanted)}
    yield from _by_row(store.table("experiments", None, _COLUMNS, where=where))
    for name, _ in filter(None, (parse_segment(info.path) for info in files.list("log"))):
        if name.log_id in wanted:  # it may have no row yet
            yield name.log_id, name.project_folder
    tombstones = {info.path for info in files.list("tombstones")}
    deleted = [each for each in sorted(wanted) if tombstone_file(each) in tombstones]
    if deleted:
        yield from _by_row(_deleted_rows(files, deleted))


def _deleted_rows(files: Files, experiment_ids: list[str]) -> pa.Table:
    def look(snapshot: Snapshot) -> pa.Table:
        snapshot.deleted = set()
        tables = Tables(files, snapshot, on_damaged=lambda _: None)
        return tables.read("experiments", None, _COLUMNS, where={"experiment_id": experiment_ids})

    return consistently(files, look)


def _by_row(rows: pa.Table) -> Iterator[tuple[str, str]]:
    for row in rows.to_pylist():
        yield row["experiment_id"], project_folder(row["project"])
