"""What the tables have of one experiment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from modelkb_store import layout
from modelkb_store.backend import Backend
from modelkb_store.errors import ArtifactNotFoundError, InvalidSettingError
from modelkb_store.experiment_record import ExperimentRecord, Status
from modelkb_store.same_data import same_data
from modelkb_store.schemas import SCHEMAS

if TYPE_CHECKING:  # not for everyone who looks at a row
    import pandas as pd


class ExperimentRows:
    """The rows of one experiment, and of what it shares with others.

    Attributes:
        id: The experiment's whole id.
        project: The project that holds it.
        record: Its row of the table ``experiments``.
    """

    def __init__(self, backend: Backend, project: str, record: ExperimentRecord) -> None:
        self._backend = backend
        self._files = backend.files
        self._tables = backend.tables
        self.id = record.experiment_id
        self.project = project
        self.record = record

    def __repr__(self) -> str:
        return f"<Experiment {self.id} ({self.project}/{self.record.name}, {self.record.status})>"

    def table(self, name: str) -> pa.Table:
        """Return this experiment's rows of a table, without its id, as an Arrow table.

        Args:
            name: A table with a column ``experiment_id``, such as ``metrics``,
                ``hyperparameters`` (with their source), ``evaluations`` or ``artifacts``.

        Raises:
            InvalidSettingError: There is no such table.
            CorruptFileError: A file of it is damaged.
        """
        if "experiment_id" not in getattr(SCHEMAS.get(name), "names", ()):
            known = [table for table, schema in SCHEMAS.items() if "experiment_id" in schema.names]
            raise InvalidSettingError("name", name, f"one of {', '.join(known)}")
        rows = self._tables.of_experiment(name, self.project, self.id)
        return rows.drop_columns("experiment_id")

    def metrics(self) -> pd.DataFrame:
        """Return the curves: one row per epoch, split and metric.

        Returns:
            Columns ``epoch`` (from 0, as in Keras), ``step``, ``split`` (train or
            validation), ``metric``, ``value`` (float64) and ``wall_time`` (UTC).
        """
        return _pandas(self.table("metrics"))

    def batch_metrics(self) -> pd.DataFrame:
        """Return the curves by batch, for runs recorded with ``batch_metrics=True``."""
        return _pandas(self.table("batch_metrics"))

    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters by name, as numbers, texts, truth values or lists."""
        rows = self.table("hyperparameters").to_pylist()
        return {row["name"]: json.loads(row["value"]) for row in rows}

    def evaluations(self) -> pd.DataFrame:
        """Return the evaluations: one row per split and output of the model."""
        return _pandas(self.table("evaluations"))

    def confusion_matrix(self, split: str | None = None, output: str | None = None) -> pd.DataFrame:
        """Return a confusion matrix: true classes in rows, predicted ones in columns.

        Args:
            split: ``train`` or ``validation``; by default the one that was evaluated.
            output: The model's output, for models with several; by default the first that
                has a confusion matrix.

        Returns:
            Counts (int64), labelled with class names, or class numbers where no names are
            known.

        Raises:
            ArtifactNotFoundError: No confusion matrix was recorded; says why, if known.
        """
        import pandas as pd

        newest_first = self.table("evaluations").sort_by([("created_at", "descending")])
        for row in newest_first.to_pylist():
            wanted = split in (None, row["split"]) and output in (None, row["output"])
            if wanted and row["confusion_matrix"] is not None:
                labels = row["class_names"] or range(len(row["confusion_matrix"]))
                matrix: pd.DataFrame = pd.DataFrame(
                    row["confusion_matrix"],
                    index=pd.Index(labels, name="true"),
                    columns=pd.Index(labels, name="predicted"),
                    dtype="int64",
                )
                return matrix
        reason = self._why("the run was not evaluated as a classifier")
        raise ArtifactNotFoundError(self.id, "confusion matrix", reason)

    def environment(self) -> dict[str, Any]:
        """Return what decides the bits of the result, and the machine.

        Returns:
            The columns of the table ``environments`` and the experiment's ``seed``;
            ``distributions`` and ``variables`` as mappings from name to version or value.
            Empty if the environment was not recorded.
        """
        table = self._tables.of_entity("environments", self.project, self.record.environment_id)
        if not table.num_rows:
            return {}
        row: dict[str, Any] = table.to_pylist()[0]
        row["distributions"] = {item["name"]: item["version"] for item in row["distributions"]}
        row["variables"] = {item["name"]: item["value"] for item in row["variables"]}
        return {**row, "seed": self.record.seed}

    def dataset(self, split: str = "train") -> dict[str, Any]:
        """Return the description of the training or validation data; empty if unknown.

        Raises:
            InvalidSettingError: The split is neither ``train`` nor ``validation``.
        """
        of_split = {
            "train": self.record.dataset_id,
            "validation": self.record.validation_dataset_id,
        }
        if split not in of_split:
            raise InvalidSettingError("split", split, "'train' or 'validation'")
        rows = self._tables.of_entity("datasets", self.project, of_split[split]).to_pylist()
        return dict(rows[0]) if rows else {}

    def same_data(self, other: ExperimentRows, split: str = "train") -> bool | None:
        """Return whether two runs used the same data, in whatever order or container.

        Args:
            other: Another run, of any project or store.
            split: ``train`` or ``validation``.

        Returns:
            None where it cannot be known: one of them has no fingerprint, or one of a part of
            its data that does not go with the other's. Of arrays too large to be read whole
            (``fingerprint_scope`` is ``rows``) True says that sampled rows are the same.

        Raises:
            InvalidSettingError: There is no such split.

        Example:
            >>> run.same_data(Store().experiment("best-so-far"))
            True
        """
        return same_data(self.dataset(split), other.dataset(split))

    def model(self) -> dict[str, Any]:
        """Return the model's row: class, parameter counts, compile configuration."""
        rows = self._tables.of_entity("models", self.project, self.record.model_id).to_pylist()
        return dict(rows[0]) if rows else {}

    def implementation(self) -> dict[str, Any]:
        """Return the code behind the run; empty if it was not recorded.

        Returns:
            The columns of the table ``implementations``: ``data_slice`` and ``definitions`` are
            Python text that nothing here runs.
        """
        entity = self.record.implementation_id
        rows = self._tables.of_entity("implementations", self.project, entity).to_pylist()
        return dict(rows[0]) if rows else {}

    def epochs(self) -> pd.DataFrame:
        """Return when each epoch ran, and its initial and final learning rates."""
        return _pandas(self.table("epochs"))

    def resources(self) -> pd.DataFrame:
        """Return what the process used of processor, memory and GPUs over time."""
        return _pandas(self.table("resources"))

    def predictions(self) -> pd.DataFrame:
        """Return the calls of ``predict`` after the training, one row each."""
        return _pandas(self.table("predictions"))

    def layers(self) -> pd.DataFrame:
        """Return the layer table: one row per layer, nested models' layers included."""
        table = self._tables.of_entity("layers", self.project, self.record.architecture_id)
        return _pandas(table)

    def artifacts(self) -> pd.DataFrame:
        """Return the files of this experiment: kind, path from the store, size and hash."""
        return _pandas(self.table("artifacts"))

    def read_artifact(self, sha256: str) -> bytes:
        """Return the content of one of the files of :meth:`artifacts`.

        Args:
            sha256: Its hash.

        Raises:
            ArtifactNotFoundError: The experiment has no such file, or it is gone.
        """
        kept = self.table("artifacts").to_pylist()
        path = next((row["path"] for row in kept if row["sha256"] == sha256), None)
        # Rows may come from elsewhere: nothing but files of content is read by them.
        if path is None or not layout.is_object(path):
            raise ArtifactNotFoundError(self.id, f"file {sha256}", "see artifacts()")
        try:
            return self._files.read(path)
        except FileNotFoundError as error:
            reason = f"{self._files.uri}/{path} is missing"
            raise ArtifactNotFoundError(self.id, f"file {sha256}", reason) from error

    def checkpoints(self) -> pd.DataFrame:
        """Return the checkpoints, oldest first, one row each.

        Returns:
            Columns ``kind`` (``initial``, before the training, where a seed does not give these
            weights again; ``end`` of the run, ``epoch``, or ``best``), ``epoch`` (null at the
            start and the end), ``metric`` and ``value`` that the best was chosen by,
            ``size_bytes`` (of all its variables; those that other checkpoints have as well are
            stored once) and ``created_at``.
        """
        names = ["kind", "epoch", "metric", "value", "size_bytes", "created_at"]
        return _pandas(self.table("checkpoints").select(names).sort_by("created_at"))

    def _why(self, usual: str) -> str:
        """Return why something is missing: the run goes on, or failed at it, or as usual."""
        if self.record.status == Status.RUNNING.value:
            return "the run is still running"
        return "; ".join(self.record.problems) or usual


def _pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
