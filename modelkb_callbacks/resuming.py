"""Finding the experiment that a training goes on with."""

from __future__ import annotations

import dataclasses
import os
import platform
from typing import Any

from modelkb_callbacks import architecture
from modelkb_callbacks.settings import Settings
from modelkb_store.backend import open_backend
from modelkb_store.errors import StoreNotFoundError
from modelkb_store.experiment_ids import resolve_experiment_id
from modelkb_store.records import ExperimentRecord, Status
from modelkb_store.table_file import records_of

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
    known = _known(settings)
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


def _known(settings: Settings) -> list[dict[str, Any]]:
    """Return the experiments that may be meant, oldest first."""
    backend = open_backend(settings.store_location, is_patient=False)
    try:
        backend.check()  # which finishes what was killed a moment ago
        project = None if isinstance(settings.resume, str) else settings.project
        rows = backend.tables.read("experiments", project)
    except StoreNotFoundError:
        return []
    known: list[dict[str, Any]] = rows.sort_by("experiment_id").to_pylist()
    return known


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
