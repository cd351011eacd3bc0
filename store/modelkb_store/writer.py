"""Writing experiments into a store.

All goes through a log (:mod:`modelkb_store.log`), which has one writer and is folded into Parquet
files when the experiment ends; objects are named by their content. So any number of processes
can record into one store at once, and none waits for another.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelkb_store import atomic_file, layout
from modelkb_store.architecture_file import Architecture, write_architecture
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.content_hash import sha256_of
from modelkb_store.log.edit import EDITS, Edit
from modelkb_store.log.entry import Action, Columns
from modelkb_store.log.experiment_log import ExperimentLog
from modelkb_store.log.log_home import LogHome
from modelkb_store.log.log_name import LogName
from modelkb_store.project_names import project_folder
from modelkb_store.records import (
    ArtifactRecord,
    CheckpointRecord,
    DatasetRecord,
    EnvironmentRecord,
    EpochRecord,
    EvaluationRecord,
    ExperimentRecord,
    HyperparameterRecord,
    ImplementationRecord,
    LayerRecord,
    MetricRecord,
    ModelRecord,
    ProjectRecord,
    RandomStateRecord,
    ResourceRecord,
    TrainedWeightsRecord,
)
from modelkb_store.snapshot import Snapshot, consistently
from modelkb_store.tables import Tables
from modelkb_store.transfer.homes import open_home

_IDLE_SECONDS = 5.0
_ATTEMPTS = 3

_log = logging.getLogger(__name__)


class ExperimentWriter:
    """Writes one experiment; made when its training begins.

    What it is told is in the log, and safe from the end of the process, when a method returns.
    After :meth:`close` it may be told more, which then goes through a further log.

    Args:
        store: The store's folder, or the address of one in a bucket; it is made if it is not
            there.
        project: The project's name; it is made if it is not there.
        experiment: The experiment as it begins, or as it goes on.
        resumes: Whether the experiment is there already, and goes on.

    Raises:
        ModelKBError: The folder is no store, the name is not legal, the format is newer.
        OSError: The store cannot be written.

    Example:
        >>> writer = ExperimentWriter("modelkb", "digits", experiment)
        >>> writer.append_metrics([MetricRecord(...)])
        >>> writer.set(status="finished")
        >>> writer.save_experiment()
        >>> writer.close()
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        project: str,
        experiment: ExperimentRecord,
        *,
        resumes: bool = False,
    ) -> None:
        self.home = open_home(store)
        self.files = self.home.files
        self.project = project
        self.experiment = experiment
        self._folder = project_folder(project)
        self._lock = threading.RLock()
        first = LogName(self._folder, experiment.experiment_id)
        name = LogName.further(self._folder, experiment.experiment_id) if resumes else first
        self._log = ExperimentLog(self.home, name, experiment.experiment_id)
        # As they were when this log began, and as they were written last.
        self._before = self._saved = (experiment.tags, experiment.notes)
        if not self.files.exists(layout.table_file("projects", project, "project")):
            created = ProjectRecord(created_at=experiment.started_at, owner=experiment.owner)
            self._add("projects", [created])
        self.save_experiment()

    def set(self, **changes: Any) -> None:
        """Change fields of the experiment, such as ``status`` or ``model_id``.

        On disk they are after :meth:`save_experiment`.
        """
        self.experiment = dataclasses.replace(self.experiment, **changes)

    def save_experiment(self) -> None:
        """Write the experiment's row anew.

        Of tags and notes only what changed: somebody else may have changed them meanwhile.
        """
        self._in_log(self._put_experiment)

    def write_hyperparameters(self, records: Sequence[HyperparameterRecord]) -> None:
        """Write all hyperparameters of the experiment, in place of earlier ones."""
        self._put("hyperparameters", records)

    def write_random_states(self, records: Sequence[RandomStateRecord]) -> None:
        """Write the states of the random generators, in place of earlier ones."""
        self._put("random_states", records)

    def add_evaluations(self, records: Sequence[EvaluationRecord]) -> None:
        """Add evaluations to those of the experiment."""
        self._add("evaluations", records)

    def append_metrics(self, records: Sequence[MetricRecord]) -> None:
        """Add rows to the curves."""
        self._add("metrics", records)

    def append_batch_metrics(self, records: Sequence[MetricRecord]) -> None:
        """Add rows to the curves by batch."""
        self._add("batch_metrics", records)

    def append_batch_columns(self, columns: Mapping[str, Any]) -> None:
        """Add rows to the curves by batch, given by column; one value stands for all rows."""
        self._append(Action.ADD, "batch_metrics", columns)

    def append_epoch(self, record: EpochRecord) -> None:
        """Add an epoch that has ended.

        By then the one before is safe from a power failure; it is waited for, if the disk is
        slow.
        """
        self._log.wait_for_disk()
        self._add("epochs", [record])

    def append_resources(self, records: Sequence[ResourceRecord]) -> None:
        """Add samples of what the process uses."""
        self._add("resources", records)

    def drop_epochs_from(self, epoch: int) -> None:
        """Make void what is recorded of epochs from this one on: they run again."""
        self._append(Action.CUT, "", {"epoch": epoch})

    def add_environment(self, record: EnvironmentRecord) -> None:
        """Store an environment, once per project."""
        self._add("environments", [record])

    def add_dataset(self, record: DatasetRecord) -> None:
        """Store a dataset's description, once per project."""
        self._add("datasets", [record])

    def add_implementation(self, record: ImplementationRecord) -> None:
        """Store an implementation, once per project."""
        self._add("implementations", [record])

    def add_architecture(self, architecture: Architecture, layers: Sequence[LayerRecord]) -> str:
        """Store an architecture: its file once per store, its layer table once per project.

        Returns:
            The path of the file from the store's root.
        """
        path = layout.architecture_file(architecture.architecture_id)
        write_architecture(self.files.local_path(path), architecture)
        self._add("layers", layers)
        return path

    def add_model(self, record: ModelRecord) -> None:
        """Store a model, once per project."""
        self._add("models", [record])

    def add_trained_weights(self, weights_id: str) -> None:
        """Let others find this experiment by the weights that it ended with."""
        record = TrainedWeightsRecord(weights_id, self.experiment.experiment_id)
        self._add("trained_weights", [record])

    def add_checkpoint(
        self,
        kind: str,
        save: Callable[[Path], None],
        *,
        epoch: int | None = None,
        metric: str | None = None,
        value: float | None = None,
    ) -> CheckpointRecord:
        """Store a model's weights, each variable once per content.

        Args:
            kind: ``initial``, ``end`` (of the run), ``epoch`` or ``best``.
            save: Writes a Keras weights file to the path it is given, which ends with
                ``.weights.h5``.
            epoch: The epoch that has ended; None at the start and the end of the run.
            metric: What the best was chosen by, by its name in Keras' history.
            value: Its value.
        """
        from modelkb_store.weights.checkpoint import save_checkpoint

        # On the store's own disk, so that a pack is renamed and not copied.
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=self.files.root) as folder:
            weights_file = Path(folder) / "model.weights.h5"
            save(weights_file)
            saved = save_checkpoint(weights_file, self._known_variables, Path(folder))
            if saved.pack is not None and saved.pack_path is not None:
                self.files.write_file(saved.pack_path, saved.pack)
        record = CheckpointRecord(
            experiment_id=self.experiment.experiment_id,
            kind=kind,
            epoch=epoch,
            metric=metric,
            value=value,
            structure=saved.structure,
            variable_paths=saved.variable_paths,
            variable_ids=saved.variable_ids,
            size_bytes=saved.size_bytes,
            created_at=datetime.now(timezone.utc),
        )
        self._add("variables", saved.variables)
        self._add("checkpoints", [record])
        return record

    def add_file(self, kind: str, name: str, write: Callable[[Path], None]) -> ArtifactRecord:
        """Store any other file, once per content.

        Args:
            kind: What it is: ``console`` or ``file``.
            name: Its name, for people.
            write: Writes it to the path it is given.
        """
        folder = self.files.local_path("objects/files")
        with atomic_file.unnamed(folder, ".partial") as partial:
            write(partial)
            with partial.open("rb") as file:
                sha256 = sha256_of(file)
            size = partial.stat().st_size
            path = layout.kept_file(sha256)
            atomic_file.name(partial, self.files.local_path(path))
        return ArtifactRecord(
            experiment_id=self.experiment.experiment_id,
            kind=kind,
            name=name,
            path=path,
            sha256=sha256,
            size_bytes=size,
            created_at=datetime.now(timezone.utc),
        )

    def add_artifacts(self, records: Sequence[ArtifactRecord]) -> None:
        """Add artifacts to those of the experiment."""
        self._add("artifacts", records)

    def close(self) -> None:
        """Fold what was written into Parquet files; it could be read all the time.

        Where many small files have come together they are then merged, by a thread that the end
        of the process waits for.

        Raises:
            OSError: The disk does not take them. They are folded when the store is opened next.
        """
        self._log.close()
        threading.Thread(
            target=_tidy, args=(self.home, self._folder), name="modelkb-compaction"
        ).start()

    def _known_variables(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the packs of variables that the store has already, and keep these packs."""
        names = ["variable_id", "pack_path"]

        def look(snapshot: Snapshot) -> pa.Table:
            tables = Tables(self.files, snapshot)
            return tables.read("variables", columns=names, where={"variable_id": ids})

        rows = consistently(self.files, look, log_tables=["variables"])
        pack_of = dict(zip(*(rows[name].to_pylist() for name in names), strict=True))
        there = {path for path in set(pack_of.values()) if self.home.holds(path)}
        return {variable: path for variable, path in pack_of.items() if path in there}

    def _add(self, table: str, records: Sequence[Any]) -> None:
        self._in_log(lambda log: log.add(table, records))

    def _put(self, table: str, records: Sequence[Any]) -> None:
        self._in_log(lambda log: log.put(table, records))

    def _append(self, action: Action, table: str, columns: Columns) -> None:
        self._in_log(lambda log: log.append(action, table, columns))

    def _put_experiment(self, log: ExperimentLog) -> bool:
        tags, notes = self.experiment.tags, self.experiment.notes
        if log.name.log_id != self.experiment.experiment_id:
            edit = Edit(self._before[0], tags, self._before[1], notes)
            log.append(Action.PUT, EDITS, edit.as_columns(self.experiment.experiment_id))
        if not log.put("experiments", [self.experiment]):
            return False
        self._saved = (tags, notes)
        return True

    def _in_log(self, write: Callable[[ExperimentLog], bool]) -> None:
        """Write to the log, or to a further one where this one is closed or was taken away."""
        with self._lock:
            for _ in range(_ATTEMPTS):
                if write(self._log):
                    return
                was_closed = not self._log.is_open
                run = self.experiment.experiment_id
                name = LogName.further(self._folder, run)
                closes_when_idle = _IDLE_SECONDS if was_closed else None
                self._log = ExperimentLog(self.home, name, run, closes_when_idle=closes_when_idle)
                self._before = self._saved
                if not was_closed:  # it was taken for dead, and its row says so
                    self._put_experiment(self._log)
            raise StoreBusyError(self.files.uri, None)


def _tidy(home: LogHome, folder: str) -> None:
    try:
        home.tidy(folder)
    except Exception as error:  # noqa: BLE001 - the store is whole without it; others try again
        _log.debug("could not tidy %s", folder, exc_info=error)
