"""Writing experiments into a store.

Every file is written whole and renamed, no file has two writers, and shared entities are
named by their content, so any number of processes can record into one store at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from modelkb_store import atomic_file
from modelkb_store.architecture_file import Architecture, write_architecture
from modelkb_store.growing_table import GrowingTable
from modelkb_store.layout import Layout
from modelkb_store.records import (
    ArtifactRecord,
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
)
from modelkb_store.table_file import write_records

_HASH_BLOCK_BYTES = 1 << 20


class ExperimentWriter:
    """Writes one experiment; made when its training begins.

    Args:
        root: The store's folder; it is made if it is not there.
        project: The project's name; it is made if it is not there.
        experiment: The experiment as it begins.

    Raises:
        ModelKBError: The folder is no store, the name is not legal, the format is newer.
        OSError: The store cannot be written.

    Example:
        >>> writer = ExperimentWriter(Path("modelkb"), "digits", experiment)
        >>> writer.append_metrics([MetricRecord(...)])
        >>> writer.set(status="finished")
        >>> writer.save_experiment()
    """

    def __init__(self, root: Path, project: str, experiment: ExperimentRecord) -> None:
        self.layout = Layout.create(root)
        self.project = project
        self.experiment = experiment
        self._metrics = self._growing("metrics")
        self._batch_metrics = self._growing("batch_metrics")
        self._epochs = self._growing("epochs")
        self._resources = self._growing("resources")
        self._evaluations: list[EvaluationRecord] = []
        self._artifacts: list[ArtifactRecord] = []
        project_file = self.layout.table_file("projects", project, "project")
        if not project_file.exists():
            created = ProjectRecord(created_at=experiment.started_at, owner=experiment.owner)
            write_records(project_file, "projects", [created])
        self._write("experiments", [experiment])

    def set(self, **changes: Any) -> None:
        """Change fields of the experiment, such as ``status`` or ``model_id``.

        On disk they are after :meth:`save_experiment`.
        """
        self.experiment = dataclasses.replace(self.experiment, **changes)

    def save_experiment(self) -> None:
        """Write the experiment's row anew."""
        self._write("experiments", [self.experiment])

    def write_hyperparameters(self, records: Sequence[HyperparameterRecord]) -> None:
        """Write all hyperparameters of the experiment, in place of earlier ones."""
        self._write("hyperparameters", records)

    def write_random_states(self, records: Sequence[RandomStateRecord]) -> None:
        """Write the states of the random generators, in place of earlier ones."""
        self._write("random_states", records)

    def add_evaluations(self, records: Sequence[EvaluationRecord]) -> None:
        """Add evaluations to those of the experiment."""
        every = [*self._evaluations, *records]
        self._write("evaluations", every)
        self._evaluations = every  # only now: what cannot be written must not stop what follows

    def append_metrics(self, rows: list[MetricRecord], *, flush: bool = True) -> None:
        """Add rows to the curves.

        Args:
            rows: Of an epoch, say.
            flush: Whether to put them on disk, which takes milliseconds; else :meth:`flush`
                does.
        """
        self._metrics.append(rows)
        if flush:
            self._metrics.flush()

    def append_batch_metrics(self, rows: list[MetricRecord]) -> None:
        """Add rows to the curves by batch; :meth:`flush` puts them on disk."""
        self._batch_metrics.append(rows)

    def append_epoch(self, record: EpochRecord) -> None:
        """Add an epoch; :meth:`flush` puts it on disk."""
        self._epochs.append([record])

    def append_resources(self, records: Sequence[ResourceRecord]) -> None:
        """Add samples of what the process uses and put them on disk."""
        self._resources.append(records)
        self._resources.flush()

    def flush(self) -> None:
        """Put all curves and epochs on disk."""
        self._metrics.flush()
        self._epochs.flush()
        self._batch_metrics.flush()

    def add_environment(self, record: EnvironmentRecord) -> None:
        """Store an environment, once per project."""
        self._add_shared("environments", record.environment_id, [record])

    def add_dataset(self, record: DatasetRecord) -> None:
        """Store a dataset's description, once per project."""
        self._add_shared("datasets", record.dataset_id, [record])

    def add_implementation(self, record: ImplementationRecord) -> None:
        """Store an implementation, once per project."""
        self._add_shared("implementations", record.implementation_id, [record])

    def add_architecture(self, architecture: Architecture, layers: Sequence[LayerRecord]) -> str:
        """Store an architecture: its file once per store, its layer table once per project.

        Returns:
            The path of the file from the store's root.
        """
        path = self.layout.architecture_file(architecture.architecture_id)
        write_architecture(path, architecture)
        self._add_shared("layers", architecture.architecture_id, layers)
        return self.layout.relative(path)

    def add_model(self, record: ModelRecord) -> None:
        """Store a model, once per project."""
        self._add_shared("models", record.model_id, [record])

    def add_weights(self, save: Callable[[Path], None]) -> ArtifactRecord:
        """Store final weights, once per content.

        Args:
            save: Writes a Keras weights file to the path it is given, which ends with
                ``.weights.h5``.
        """
        with atomic_file.unnamed(self.layout.weights_folder(), ".weights.h5") as partial:
            save(partial)
            sha256 = _file_sha256(partial)
            path = self.layout.weights_file(sha256)
            atomic_file.name(partial, path)
        return self._artifact("weights", path, sha256)

    def add_file(self, kind: str, name: str, write: Callable[[Path], None]) -> ArtifactRecord:
        """Store any other file, once per content.

        Args:
            kind: What it is: ``console`` or ``file``.
            name: Its name, for people.
            write: Writes it to the path it is given.
        """
        with atomic_file.unnamed(self.layout.files_folder(), ".partial") as partial:
            write(partial)
            sha256 = _file_sha256(partial)
            path = self.layout.kept_file(sha256)
            atomic_file.name(partial, path)
        return self._artifact(kind, path, sha256, name)

    def add_artifacts(self, records: Sequence[ArtifactRecord]) -> None:
        """Add artifacts to those of the experiment."""
        every = [*self._artifacts, *records]
        self._write("artifacts", every)
        self._artifacts = every

    def _artifact(
        self, kind: str, path: Path, sha256: str, name: str | None = None
    ) -> ArtifactRecord:
        return ArtifactRecord(
            experiment_id=self.experiment.experiment_id,
            kind=kind,
            name=name,
            path=self.layout.relative(path),
            sha256=sha256,
            size_bytes=path.stat().st_size,
            created_at=datetime.now(timezone.utc),
        )

    def _growing(self, table: str) -> GrowingTable:
        return GrowingTable(self.layout, table, self.project, self.experiment.experiment_id)

    def _write(self, table: str, records: Sequence[Any]) -> None:
        path = self.layout.table_file(table, self.project, self.experiment.experiment_id)
        write_records(path, table, records)

    def _add_shared(self, table: str, content_id: str, records: Sequence[Any]) -> None:
        path = self.layout.table_file(table, self.project, content_id)
        if not path.exists():
            write_records(path, table, records)


def _file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
