"""One recorded experiment: its model, weights and script, and its tags and notes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelkb_store import layout
from modelkb_store.architecture_file import Architecture, read_architecture
from modelkb_store.errors import ArtifactNotFoundError, InvalidSettingError
from modelkb_store.experiment_rows import ExperimentRows

# What models and weights need is imported where they are asked for: most only look at rows.
if TYPE_CHECKING:
    from modelkb_store.checkpoints import Checkpoints
    from modelkb_store.codegen.description import ModelDescription


class Experiment(ExperimentRows):
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
