"""Keras' ``.keras`` archives, put together without Keras."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from modelkb_store import atomic_file
from modelkb_store.architecture_file import Architecture
from modelkb_store.errors import InvalidSettingError


def write_keras_archive(
    path: Path,
    architecture: Architecture,
    weights_file: Path,
    *,
    saved_at: datetime,
    compile_config: str | None = None,
    assets: Mapping[str, bytes] | None = None,
) -> None:
    """Write an archive that ``keras.models.load_model`` makes the model of, bit by bit.

    Args:
        path: The file to make or replace; Keras wants it to end in ``.keras``.
        architecture: The model's.
        weights_file: Its ``.weights.h5``. Without the optimizer's state, Keras warns when it
            loads a compiled model, and the optimizer begins anew.
        saved_at: When the weights were saved; a note for people.
        compile_config: JSON text of how the model is compiled, or None for one that isn't.
        assets: What layers such as an adapted ``StringLookup`` keep in files, by the path
            below ``assets``. Weights files don't have it.

    Raises:
        InvalidSettingError: The architecture has no configuration.
        FileNotFoundError: There is no weights file.
    """
    if architecture.model_config is None:
        raise InvalidSettingError("architecture", None, "one that Keras could serialize")
    config = dict(architecture.model_config)
    if compile_config is not None:
        config["compile_config"] = json.loads(compile_config)
    metadata = {
        "keras_version": architecture.keras_version,
        "date_saved": f"{saved_at:%Y-%m-%d@%H:%M:%S}",
    }
    with (
        atomic_file.replacing(path, suffix=".tmp.keras") as partial,
        zipfile.ZipFile(partial, "w", allowZip64=True) as archive,
    ):
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", json.dumps(config))
        with (
            weights_file.open("rb") as weights,
            # More than 2 GiB are known before the end only if this says so.
            archive.open("model.weights.h5", "w", force_zip64=True) as member,
        ):
            shutil.copyfileobj(weights, member, 1 << 20)
        for name, content in (assets or {}).items():
            archive.writestr(f"assets/{name}", content)
