"""HDF5 architecture files: what Keras' own HDF5 files say of a model, without weights.

The attributes are Keras' (``model_config``, ``keras_version``, ``backend``,
``training_config``), so that Netron draws the file and Keras rebuilds the model. There is
no ``model_weights`` group on purpose: Netron takes an empty one for a damaged file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkb_store import atomic_file
from modelkb_store._version import FORMAT_VERSION
from modelkb_store.errors import CorruptFileError, FormatVersionError
from modelkb_store.files.files import Files


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture as its file holds it.

    Attributes:
        architecture_id: Content id; see docs/decisions/0004-architecture-identity.md.
        model_config: The configuration as Keras serializes it, or None for a model that
            Keras cannot serialize (a subclass without ``get_config``).
        training_config: The compile configuration of the run that wrote the file.
        keras_version: Version of Keras that wrote it.
        backend: ``tensorflow``, ``jax`` or ``torch``.
    """

    architecture_id: str
    model_config: dict[str, Any] | None
    training_config: dict[str, Any] | None
    keras_version: str
    backend: str


def write_architecture(path: Path, architecture: Architecture) -> None:
    """Write an architecture file, unless one with this content is there already."""
    import h5py

    # Touched, it is safe from collectors of garbage until it is referred to.
    if atomic_file.touch(path):
        return
    with (
        atomic_file.replacing(path, suffix=".h5.tmp") as partial,
        h5py.File(partial, "w", locking=False) as file,
    ):
        file.attrs["keras_version"] = architecture.keras_version
        file.attrs["backend"] = architecture.backend
        file.attrs["modelkb_format_version"] = FORMAT_VERSION
        file.attrs["modelkb_architecture_id"] = architecture.architecture_id
        # The longest last: HDF5 would leave a gap of its size behind it.
        for name, value in (
            ("training_config", architecture.training_config),
            ("model_config", architecture.model_config),
        ):
            if value is not None:
                _write_text(file, name, json.dumps(value, separators=(",", ":")))


def read_architecture(files: Files, path: str) -> Architecture:
    """Read an architecture file of a store.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is no HDF5 file of ours.
        FormatVersionError: A newer ModelKB wrote it.
    """
    import h5py

    place = f"{files.uri}/{path}"
    try:
        with files.open(path) as opened, h5py.File(opened, "r") as file:
            attributes = dict(file.attrs)
        version = int(attributes["modelkb_format_version"])
        if version > FORMAT_VERSION:
            raise FormatVersionError(place, version, FORMAT_VERSION)
        return Architecture(
            architecture_id=str(attributes["modelkb_architecture_id"]),
            model_config=_read_json(attributes.get("model_config")),
            training_config=_read_json(attributes.get("training_config")),
            keras_version=str(attributes["keras_version"]),
            backend=str(attributes["backend"]),
        )
    except (FormatVersionError, FileNotFoundError):
        raise
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise CorruptFileError(place, error) from error


def _write_text(file: Any, name: str, text: str) -> None:
    """Write a text attribute of any length.

    A variable-length string lies in the file's global heap: HDF5's limit of 64 KiB for an
    object header, which a fixed-length attribute of a large model breaks, does not apply.
    """
    import h5py

    file.attrs.create(name, text, dtype=h5py.string_dtype("utf-8"))


def _read_json(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    return dict(json.loads(value))
