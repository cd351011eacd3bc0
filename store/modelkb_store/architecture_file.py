"""HDF5 architecture files: what Keras' own HDF5 files say of a model, without weights.

The attributes are Keras' (``model_config``, ``keras_version``, ``backend``), so that Netron draws
the file and Keras rebuilds the model. There is no ``model_weights`` group on purpose: Netron takes
an empty one for a damaged file.
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

# The object header takes some of it; what is left of the last block is a gap in the file.
_METADATA_BLOCK_BYTES = 256
_ATTRIBUTES = (
    "modelkb_format_version",
    "modelkb_architecture_id",
    "model_config",
    "training_config",
    "keras_version",
    "backend",
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture as its file holds it.

    Attributes:
        architecture_id: Content id; see docs/decisions/0004-architecture-identity.md.
        model_config: The configuration as Keras serializes it, or None for a model that
            Keras cannot serialize (a subclass without ``get_config``).
        training_config: The compile configuration of the run that wrote the file, in files of
            earlier versions; None since: an architecture is of many runs.
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
        # Less than half the overhead of the oldest layout; HDF5 1.8 and Netron read it.
        h5py.File(
            partial,
            "w",
            libver=("v108", "v108"),
            meta_block_size=_METADATA_BLOCK_BYTES,
            locking=False,
        ) as file,
    ):
        file.attrs["modelkb_format_version"] = FORMAT_VERSION
        _write_texts(file, _texts_of(architecture))


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
            # Only these, and single values: a small file can have an attribute of any size.
            attributes = {
                name: file.attrs[name]
                for name in _ATTRIBUTES
                if name in file.attrs and file.attrs.get_id(name).shape == ()
            }
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


def _texts_of(architecture: Architecture) -> dict[str, str]:
    """Return the text attributes, the longest last, so that none leaves a gap before it."""
    texts = {
        "keras_version": architecture.keras_version,
        "backend": architecture.backend,
        "modelkb_architecture_id": architecture.architecture_id,
    }
    for name, value in (
        ("training_config", architecture.training_config),
        ("model_config", architecture.model_config),
    ):
        if value is not None:
            texts[name] = json.dumps(value, separators=(",", ":"))
    return texts


def _write_texts(file: Any, texts: dict[str, str]) -> None:
    """Write text attributes of any length.

    A variable-length string lies in the file's global heap: HDF5's limit of 64 KiB for an
    object header, which a fixed-length attribute of a large model breaks, does not apply.
    All are made before the first has its text, so that the heap comes behind the header and can
    grow in place with each text.
    """
    import h5py

    kind = h5py.h5t.py_create(h5py.string_dtype("utf-8"), logical=True)
    for name in texts:
        h5py.h5a.create(file.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR))
    for name, text in texts.items():
        file.attrs.modify(name, text)


def _read_json(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    return dict(json.loads(value))
