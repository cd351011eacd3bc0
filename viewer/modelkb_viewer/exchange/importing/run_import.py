"""Runs of other tools become experiments."""

from __future__ import annotations

import getpass
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelkb_store import Store
from modelkb_store._version import __version__
from modelkb_store.errors import StoreNotFoundError
from modelkb_store.ids import canonical_json
from modelkb_store.project_names import normalized
from modelkb_store.records import (
    ExperimentRecord,
    HyperparameterRecord,
    MetricRecord,
    Status,
)
from modelkb_store.upkeep.deletion import deleted_experiments
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.exchange.errors import DamagedSourceError, NoRunInFileError
from modelkb_viewer.exchange.importing.imported_run import ImportedRun, RunReader

_CUT_OFF = "the import was cut off: run it again"
_ROWS_AT_ONCE = 5000


@dataclass(slots=True)
class ImportOutcome:
    """What has become of the runs that were found.

    Attributes:
        new: The ids of experiments that were made.
        unchanged: How many were there already.
        deleted: The ids of those that were there, and have been deleted since.
        damaged: What could not be read, as sentences.
        passed_over: What is no run, as sentences.
    """

    new: list[str] = field(default_factory=list)
    unchanged: int = 0
    deleted: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def import_runs(
    location: str,
    tool: str,
    readers: Sequence[RunReader],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportOutcome:
    """Make an experiment of each run that is not in the store yet.

    An experiment's id is made from the run's start and a hash of its origin, so that the same
    run is known again; so is one that was exported from an experiment of this store. An import
    that was cut off is completed by the next one.

    Args:
        location: The store, which is made if it is not there.
        tool: Where the runs are from, as on the command line.
        readers: The runs.
        progress: Told how many of how many are done.

    Raises:
        InvalidNameError: A run's group cannot be the name of a project.
        ModelKBError: The store cannot be written.
    """
    outcome = ImportOutcome()
    known = _KnownExperiments(location)
    for number, read in enumerate(readers):
        progress(number, len(readers))
        try:
            run = read()
        except DamagedSourceError as error:
            outcome.damaged.append(str(error))
            continue
        except NoRunInFileError as error:
            outcome.passed_over.append(str(error))
            continue
        experiment_id = _experiment_id(tool, run)
        there = known.find(run, experiment_id)
        if there in known.deleted:
            outcome.deleted.append(there)
        elif there is not None and there not in known.cut_off:
            outcome.unchanged += 1
        else:
            _write(location, tool, run, there or experiment_id, resumes=there is not None)
            known.add(run.project, experiment_id)
            outcome.new.append(there or experiment_id)
    progress(len(readers), len(readers))
    return outcome


class _KnownExperiments:
    """The experiments of a store, by project and the hash at the end of their ids."""

    def __init__(self, location: str) -> None:
        self.cut_off: set[str] = set()
        self.deleted: set[str] = set()
        self._all: set[str] = set()
        self._ids: dict[tuple[str, str], str] = {}
        self._deleted_ids: dict[str, str] = {}
        try:
            store = Store(location)
        except StoreNotFoundError:
            return
        columns = ["project", "experiment_id", "problems"]
        for row in store.table("experiments", columns=columns).to_pylist():
            self.add(row["project"], row["experiment_id"])
            if _CUT_OFF in (row["problems"] or ()):
                self.cut_off.add(row["experiment_id"])
        self.deleted = set(deleted_experiments(store.files))
        self._deleted_ids = {_hash_in(each): each for each in self.deleted}

    def add(self, project: str, experiment_id: str) -> None:
        self._ids[normalized(project), _hash_in(experiment_id)] = experiment_id
        self._all.add(experiment_id)

    def find(self, run: ImportedRun, experiment_id: str) -> str | None:
        """Return the id of the same run; its start may have been told otherwise."""
        of_run = _hash_in(experiment_id)
        if run.exported_from in self._all:
            return run.exported_from
        return self._ids.get((normalized(run.project), of_run)) or self._deleted_ids.get(of_run)


def _hash_in(experiment_id: str) -> str:
    return experiment_id.rpartition("-")[2]


def _experiment_id(tool: str, run: ImportedRun) -> str:
    origin = canonical_json([tool, normalized(run.project), run.origin])
    digest = hashlib.sha256(origin.encode()).hexdigest()[:10]
    milliseconds = run.started_at.microsecond // 1000
    return f"{run.started_at:%Y%m%d-%H%M%S}{milliseconds:03d}-{digest}"


def _write(
    location: str, tool: str, run: ImportedRun, experiment_id: str, *, resumes: bool
) -> None:
    ended_at = run.ended_at or run.started_at
    record = ExperimentRecord(
        experiment_id=experiment_id,
        name=run.name,
        owner=run.owner or _login_name(),
        status=Status.RUNNING.value,
        started_at=run.started_at,
        # Of the machine that trained; no tool tells them.
        host=None,
        process_id=None,
        modelkb_version=__version__,
        tags=tuple(dict.fromkeys([*run.tags, f"imported from {tool}"])),
        notes="\n\n".join(filter(None, [run.notes, f"Imported from {run.source}."])),
        problems=(_CUT_OFF,),
    )
    writer = ExperimentWriter(location, run.project, record, resumes=resumes)
    try:
        if resumes:
            writer.drop_epochs_from(0)
        writer.write_hyperparameters(_hyperparameters(experiment_id, run.parameters))
        for start in range(0, len(run.points), _ROWS_AT_ONCE):
            some = run.points[start : start + _ROWS_AT_ONCE]
            writer.append_metrics(
                [
                    MetricRecord(
                        experiment_id=experiment_id,
                        epoch=point.epoch,
                        step=point.step,
                        split=point.split,
                        metric=point.metric,
                        value=point.value,
                        wall_time=point.wall_time,
                    )
                    for point in some
                ]
            )
        writer.set(
            status=run.status.value,
            ended_at=ended_at,
            duration_seconds=(ended_at - run.started_at).total_seconds(),
            epochs_completed=_epochs_completed(run),
            problems=run.problems,
        )
        writer.save_experiment()
    finally:
        writer.close()


def _hyperparameters(
    experiment_id: str, parameters: Mapping[str, Any]
) -> list[HyperparameterRecord]:
    records = []
    for name, value in parameters.items():
        number = float(value) if isinstance(value, (bool, int, float)) else None
        # JSON has no NaN and no infinity.
        plain = value if number is None or math.isfinite(number) else str(value)
        text = canonical_json(plain)
        records.append(HyperparameterRecord(experiment_id, name, text, number, "user"))
    return records


def _epochs_completed(run: ImportedRun) -> int:
    """Return how many different epochs the longest curve has."""
    epochs: dict[tuple[str, str], set[int]] = {}
    for point in run.points:
        epochs.setdefault((point.split, point.metric), set()).add(point.epoch)
    return max(map(len, epochs.values()), default=0)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in this container
        return "unknown"
