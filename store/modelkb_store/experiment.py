"""One recorded experiment, to be read."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from modelkb_store import layout
from modelkb_store.architecture_file import Architecture, read_architecture
from modelkb_store.backend import Backend
from modelkb_store.errors import ArtifactNotFoundError, InvalidSettingError
from modelkb_store.experiment_record import ExperimentRecord, Status
from modelkb_store.same_data import same_data
from modelkb_store.schemas import SCHEMAS

# What models and weights need is imported where they are asked for: most only look at rows.
if TYPE_CHECKING:
    import pandas as pd

    from modelkb_store.checkpoints import Checkpoints
    from modelkb_store.codegen.description import ModelDescription


class Experiment:
    """What is stored of one training run. Made by :meth:`Store.experiment`.

    Attributes:
        id: The experiment's whole id.
        project: The project that holds it.
        record: Its row of the table ``experiments``.

    Example:
        >>> run = Store("modelkb").experiment("20261123-142233512-9f1c2b7a4d")
        >>> losses = run.metrics().query("split == 'validation' and metric == 'loss'")
        >>> losses.plot(x="epoch", y="value")
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

    def same_data(self, other: Experiment, split: str = "train") -> bool | None:
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

    def architecture(self) -> Architecture:
        """Return the architecture as its HDF5 file holds it.

        Raises:
            ArtifactNotFoundError: None was recorded, or the file is gone.
            CorruptFileError: The file is damaged.
        """
        path = self.architecture_path()
        try:
            return read_architecture(self._files, path)
        except FileNotFoundError as error:
            reason = f"{self._files.uri}/{path} is missing"
            raise ArtifactNotFoundError(self.id, "architecture", reason) from error

    def description(self) -> ModelDescription:
        """Return what :func:`modelkb_store.codegen.generate_code` writes the model from.

        Raises:
            ArtifactNotFoundError: The architecture was not kept, or Keras could not serialize
                the model.
            CorruptFileError: The file is damaged.
        """
        from modelkb_store.codegen.description import ModelDescription

        architecture = self.architecture()
        return ModelDescription(
            model_config=self._model_config(architecture),
            origin=f"experiment {self.id}",
            keras_version=architecture.keras_version,
            definitions=self.implementation().get("definitions"),
        )

    def architecture_path(self) -> str:
        """Return the path of the HDF5 architecture file, from the store's folder.

        Raises:
            ArtifactNotFoundError: No architecture was recorded.
        """
        if self.record.architecture_id is None:
            has_model = self.record.model_id is not None
            without = "the model was never built" if has_model else "no model was recorded with it"
            raise ArtifactNotFoundError(self.id, "architecture", self._why(without))
        return layout.architecture_file(self.record.architecture_id)

    def save_weights(
        self, path: str | os.PathLike[str], checkpoint: str | int | None = None
    ) -> Path:
        """Write the weights of a checkpoint as a Keras ``.weights.h5`` file.

        Args:
            path: The file to write; its name ends with ``.weights.h5``.
            checkpoint: ``end``, ``best``, ``initial``, or the number of an epoch. Default: the
                end of the run, else the best, else the last, but never the initial one.

        Returns:
            The path.

        Raises:
            ArtifactNotFoundError: There is no such checkpoint, or what it needs is gone.
            CorruptFileError: A pack of variables is damaged.
        """
        target = Path(path)
        if not target.name.endswith(".weights.h5"):
            raise InvalidSettingError("path", str(path), "a name that ends with .weights.h5")
        self._checkpoints().write(target, checkpoint)
        return target

    def save_model(self, path: str | os.PathLike[str], checkpoint: str | int | None = None) -> Path:
        """Write the model with the weights of a checkpoint as a ``.keras`` file.

        The optimizer's state is not kept, so Keras warns when it loads a compiled model.

        Args:
            path: The file to write; its name ends with ``.keras``.
            checkpoint: As for :meth:`save_weights`.

        Returns:
            The path.

        Raises:
            ArtifactNotFoundError: There is no such checkpoint, or Keras could not serialize the
                model.
        """
        from modelkb_store.weights.keras_archive import write_keras_archive

        target = Path(path)
        if target.suffix != ".keras":
            raise InvalidSettingError("path", str(path), "a name that ends with .keras")
        architecture = self.architecture()
        self._model_config(architecture)
        with self._checkpoints().as_file(checkpoint) as weights:
            write_keras_archive(
                target,
                architecture,
                weights,
                saved_at=self.record.ended_at or self.record.started_at,
                compile_config=self.model().get("compile_config"),
            )
        return target

    def load_model(
        self,
        checkpoint: str | int | None = None,
        *,
        weights: bool = True,
        compile: bool = True,  # noqa: A002 - Keras' own word for it
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
    ) -> Any:
        """Return the model as a Keras object, with the weights of a checkpoint.

        Args:
            checkpoint: As for :meth:`save_weights`; by default those of the end of the run.
            weights: Whether to load weights; else they are new ones.
            compile: Whether to compile it as it was, with a fresh optimizer state.
            custom_objects: Classes and functions of your own, by name.
            safe_mode: Whether to refuse Lambda layers, whose code would be run.

        Raises:
            ArtifactNotFoundError: The architecture or the weights were not kept.
            MissingPackageError: Keras is not installed.
            ModelLoadError: Keras could not rebuild the model; says what to pass.

        Example:
            >>> model = Store().experiment("20261123-1422").load_model()
            >>> model.predict(x)
        """
        from modelkb_store.model_loading import build_model

        compile_config = self.model().get("compile_config") if compile else None
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(self._checkpoints().as_file(checkpoint)) if weights else None
            return build_model(
                self.id,
                self.architecture(),
                compile_config,
                file,
                custom_objects=custom_objects,
                safe_mode=safe_mode,
            )

    def _model_config(self, architecture: Architecture) -> dict[str, Any]:
        if architecture.model_config is None:
            reason = "Keras could not serialize it; its weights can be saved"
            raise ArtifactNotFoundError(self.id, "configuration of the model", reason)
        return architecture.model_config

    def set_tags(self, tags: Iterable[str]) -> None:
        """Give the experiment these tags, in place of all that it has.

        It may be running, and others may edit it: what they have changed since this object was
        made stays.

        Args:
            tags: Up to 200, each of up to 200 characters.

        Raises:
            InvalidSettingError: They are more or longer.
            StoreNotWritableError: The store can only be read.

        Example:
            >>> run.set_tags([*run.record.tags, "baseline"])
        """
        edited = self._backend.edit(self.id, self.record, tags=tags)
        # The notes stay as they were seen, for an edit of these.
        self.record = replace(self.record, tags=edited.tags)

    def set_notes(self, notes: str) -> None:
        """Give the experiment other notes; see :meth:`set_tags`.

        Args:
            notes: The whole text, up to 100,000 characters.
        """
        edited = self._backend.edit(self.id, self.record, notes=notes)
        self.record = replace(self.record, notes=edited.notes)

    def script(self) -> str:
        """Return the training as a script: data, model, compile, fit and evaluation.

        It starts where the run started, in the recorded order of what draws random numbers; its
        head says what was not recorded. Where the run did not start from its seed alone, it loads
        files that only :meth:`save_script` writes.

        Raises:
            CodeGenerationError: The model was not recorded, or a layer cannot be written.

        Example:
            >>> print(Store().experiment("20261123-1422").script())
        """
        from modelkb_store.codegen.script import shown_script

        return shown_script(self).text

    def save_script(
        self,
        path: str | os.PathLike[str],
        format: str = "script",  # noqa: A002 - as on the command line
    ) -> list[Path]:
        """Write the training as a script, a notebook, or a folder that runs elsewhere.

        Args:
            path: The file, whose name ends with ``.py`` or ``.ipynb``; for ``repo`` the folder.
            format: ``script``, ``notebook``, or ``repo``: a folder with the script, pinned
                requirements and a Dockerfile, as repo2docker and Binder read it.

        Returns:
            The files that were written. Beside the script, where it needs them, lie the weights
            and random states that the run started with.

        Raises:
            CodeGenerationError: The model was not recorded, or a layer cannot be written.
            InvalidSettingError: There is no such format, or the name does not go with it.
        """
        from modelkb_store.codegen.script import save_script

        return save_script(self, Path(path), format)

    def _checkpoints(self) -> Checkpoints:
        from modelkb_store.checkpoints import Checkpoints

        return Checkpoints(self._tables, self.project, self.id, why_none=self._why)

    def _why(self, usual: str) -> str:
        """Return why something is missing: the run goes on, or failed at it, or as usual."""
        if self.record.status == Status.RUNNING.value:
            return "the run is still running"
        return "; ".join(self.record.problems) or usual


def _pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
