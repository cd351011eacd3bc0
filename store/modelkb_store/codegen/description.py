"""A model's description, as a file or an experiment holds it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkb_store.codegen.lookup_assets import with_vocabularies
from modelkb_store.errors import DescriptionFileError

_MOST_BYTES = 1 << 28  # of a configuration; those of the largest networks take some megabytes
_ADVICE = "pass a file that model.save() or model.to_json() wrote"


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What code can be written from.

    Attributes:
        model_config: The model as Keras serializes it.
        origin: Where it is from, for the head of the code: a file's name, an experiment's id.
        keras_version: The version of Keras that wrote it; None if unknown.
        definitions: Python text with the classes and functions of the user's that it needs.
    """

    model_config: Mapping[str, Any]
    origin: str
    keras_version: str | None = None
    definitions: str | None = None


def read_description(path: str | Path) -> ModelDescription:
    """Read the description of a model from a file; nothing in it is executed or unpickled.

    Args:
        path: A ``.keras`` file, an HDF5 file (``.h5``, ``.hdf5``: of ``model.save``, Keras 2
            or 3, or an architecture file of a store), or JSON (of ``model.to_json``).

    Raises:
        DescriptionFileError: It is not there, damaged, or holds no description of a model.

    Example:
        >>> read_description("model.keras").model_config["class_name"]
        'Functional'
    """
    path = Path(path)
    try:
        if zipfile.is_zipfile(path):
            return _read_archive(path)
        with path.open("rb") as file:
            begin = file.read(8)
        return _read_hdf5(path) if begin == b"\x89HDF\r\n\x1a\n" else _read_json_file(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, RecursionError) as error:
        if isinstance(error, DescriptionFileError):
            raise
        raise DescriptionFileError(path, error, _ADVICE) from error


def _read_archive(path: Path) -> ModelDescription:
    with zipfile.ZipFile(path) as archive:
        config = _parsed(_member(archive, "config.json"), path)
        metadata = json.loads(_member(archive, "metadata.json") or "{}")
        config = with_vocabularies(config, lambda name: _member(archive, name))
    version = metadata.get("keras_version")
    return ModelDescription(_checked(config, path), path.name, version and str(version))


def _member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.file_size > _MOST_BYTES:
        raise ValueError(f"{name} takes {info.file_size:,} bytes")
    return archive.read(info)


def _read_hdf5(path: Path) -> ModelDescription:
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        text = file.attrs.get("model_config")
        version = file.attrs.get("keras_version")
    if text is None:
        reason = "it holds weights alone, without the model's configuration"
        raise DescriptionFileError(path, reason, _ADVICE)
    version = version.decode() if isinstance(version, bytes) else version
    return ModelDescription(_checked(_parsed(text, path), path), path.name, version)


def _read_json_file(path: Path) -> ModelDescription:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it takes {path.stat().st_size:,} bytes")
    config = _checked(_parsed(path.read_bytes(), path), path)
    version = config.get("keras_version")
    return ModelDescription(config, path.name, version and str(version))


def _parsed(text: bytes | str | None, path: Path) -> Any:
    if text is None:
        raise DescriptionFileError(path, "it holds no configuration of a model", _ADVICE)
    return json.loads(text)


def _checked(config: Any, path: Path) -> dict[str, Any]:
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise DescriptionFileError(path, "it holds no configuration of a model", _ADVICE)
    return config
