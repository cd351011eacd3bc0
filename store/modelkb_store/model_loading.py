"""Rebuilding a Keras model from its architecture file, compile configuration and weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelkb_store.architecture_file import Architecture
from modelkb_store.errors import ArtifactNotFoundError, MissingPackageError, ModelLoadError


def build_model(
    experiment_id: str,
    architecture: Architecture,
    compile_config: str | None,
    weights: Path | None,
    *,
    custom_objects: Mapping[str, Any] | None,
    safe_mode: bool,
) -> Any:
    """Return the model as a Keras object; see :meth:`Experiment.load_model`."""
    try:
        # Inside the function: reading a store needs no Keras, only this does.
        import keras
    except ImportError as error:
        raise MissingPackageError(
            "Keras with a backend", "Loading a model", "pip install 'modelkb[tensorflow]'"
        ) from error
    if architecture.model_config is None:
        raise ArtifactNotFoundError(
            experiment_id,
            "configuration to rebuild the model from",
            "Keras could not serialize it; save_weights(path), and load them into a model that "
            "your own code builds",
        )
    try:
        model = keras.saving.deserialize_keras_object(
            architecture.model_config,
            custom_objects=dict(custom_objects or {}),
            safe_mode=safe_mode,
        )
        # Before compiling: the file has no optimizer state, which Keras would miss aloud.
        if weights is not None:
            keras.saving.load_weights(model, weights)
        if compile_config is not None:
            with keras.saving.custom_object_scope(dict(custom_objects or {})):
                model.compile_from_config(json.loads(compile_config))
    # Keras raises many kinds for what it cannot rebuild; all mean the same to the user.
    except Exception as error:
        raise ModelLoadError(experiment_id, error) from error
    return model
