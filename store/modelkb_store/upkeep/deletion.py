"""Deleting experiments: hidden at once, and brought back as long as nothing is collected.

A note, the tombstone, is all that is written; readers pass over what has one. The rows and objects
go when :func:`modelkb_store.upkeep.collection.collect` is called.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

from modelkb_store.errors import (
    CollectedExperimentError,
    ExperimentNotFoundError,
    RunningExperimentError,
)
from modelkb_store.files.files import Files
from modelkb_store.layout import tombstone_file
from modelkb_store.snapshot import consistently
from modelkb_store.tables import Tables

_COLLECTED = "collected_at"


def delete_experiment(files: Files, experiment_id: str) -> None:
    """Delete an experiment: nobody sees it any more. What it has is still there.

    Args:
        files: The store.
        experiment_id: The whole id.

    Raises:
        ExperimentNotFoundError: There is none with this id, or it is deleted already.
        RunningExperimentError: Its process runs.

    Example:
        >>> delete_experiment(open_files("modelkb"), "20261123-142233512-9f1c2b7a4d")
    """
    ids = Tables(files).read("experiments", columns=["experiment_id"])["experiment_id"].to_pylist()
    if experiment_id not in ids:
        raise ExperimentNotFoundError(experiment_id, ids)
    _check_that_it_is_over(files, experiment_id)
    mark_deleted(files, experiment_id)
    try:  # it may have been taken up again meanwhile
        _check_that_it_is_over(files, experiment_id)
    except RunningExperimentError:
        files.delete(tombstone_file(experiment_id))
        raise


def undelete(files: Files, experiment_id: str) -> None:
    """Bring a deleted experiment back.

    Args:
        files: The store.
        experiment_id: The whole id.

    Raises:
        ExperimentNotFoundError: No deleted one has this id.
        CollectedExperimentError: Its rows are partly gone.
    """
    deleted = deleted_experiments(files)
    if experiment_id not in deleted:
        raise ExperimentNotFoundError(experiment_id, deleted)
    if is_being_collected(files, experiment_id):
        raise CollectedExperimentError(experiment_id)
    files.delete(tombstone_file(experiment_id))


def deleted_experiments(files: Files) -> list[str]:
    """Return the ids of experiments that are deleted and not yet collected."""
    return sorted(consistently(files, lambda now: now.deleted, reads_logs=False))


def is_being_collected(files: Files, experiment_id: str) -> bool:
    """Return whether rows of a deleted experiment may be gone already."""
    try:
        return _COLLECTED in json.loads(files.read(tombstone_file(experiment_id)))
    except (ValueError, TypeError):
        return False


def mark_deleted(files: Files, experiment_id: str, *, collected: bool = False) -> None:
    """Write the note that an experiment is deleted, and maybe that its rows go from now on."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    facts = {"deleted_at": now, **({_COLLECTED: now} if collected else {})}
    files.write(tombstone_file(experiment_id), f"{json.dumps(facts)}\n".encode())


def _check_that_it_is_over(files: Files, experiment_id: str) -> None:
    if experiment_id in consistently(files, lambda now: now.alive(), reads_logs=False):
        raise RunningExperimentError(experiment_id)
