"""Finding the experiment that a training goes on with."""

from __future__ import annotations

import dataclasses
import os
import platform
from typing import Any

from modelkb_callbacks import architecture
from modelkb_callbacks.settings import Settings
from modelkb_store.experiment_ids import resolve_experiment_id
from modelkb_store.files.open_files import open_files
from modelkb_store.layout import FORMAT_FILE
from modelkb_store.log.recovery import recover
from modelkb_store.records import ExperimentRecord, Status
from modelkb_store.table_file import records_of
from modelkb_store.tables import Tables

_UNFINISHED = (Status.INTERRUPTED.value, Status.FAILED.value)


@dataclasses.dataclass(frozen=True, slots=True)
class Resumed:
    """An experiment that goes on, and its project."""

    project: str
    experiment: ExperimentRecord


def find_resumed(settings: Settings, model: Any) -> Resumed | None:
    """Return the experiment to go on with, as it begins again; None for a new one.

    Args:
        settings: What the user asked for: an experiment's id, or True for the last one of the
            project that did not finish and has the same architecture.
        model: The model that is about to train.

    Raises:
        ExperimentNotFoundError, AmbiguousIdError: The id is not of one experiment.
    """
    if not settings.resume:
        return None
    files = open_files(settings.store_location)
    if files.exists(FORMAT_FILE) and files.local_path("") is not None:
        recover(files)  # what was killed a moment ago
    tables = Tables(files)
    project = None if isinstance(settings.resume, str) else settings.project
    known = tables.read("experiments", project).sort_by("experiment_id").to_pylist()
    row: dict[str, Any] | None
    if isinstance(settings.resume, str):
        ids, names = ([row[name] for row in known] for name in ("experiment_id", "name"))
        whole = resolve_experiment_id(settings.resume, ids, names)
        row = known[ids.index(whole)]
    else:
        row = _last_unfinished(known, model)
    if row is None:
        return None
    record: ExperimentRecord = records_of([row], ExperimentRecord)[0]
    again = dataclasses.replace(
        record,
        status=Status.RUNNING.value,
        ended_at=None,
        host=platform.node(),
        process_id=os.getpid(),
    )
    return Resumed(row["project"], again)


def _last_unfinished(known: list[dict[str, Any]], model: Any) -> dict[str, Any] | None:
    if model is None or not model.built:
        return None
    wanted = architecture.describe_architecture(model).architecture.architecture_id
    fitting = [
        row
        for row in known
        if row["status"] in _UNFINISHED and row["architecture_id"] in (wanted, None)
    ]
    return fitting[-1] if fitting else None
