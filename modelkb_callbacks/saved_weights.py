"""The weights of a model as a file, also of one that is never called as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras


def has_weights(model: Any) -> bool:
    """Return whether all weights of a model are there.

    A model without a ``call``, such as a GAN, is never built; its parts are.
    """
    if model.built:
        return True
    parts = model._flatten_layers(include_self=False)
    return not _is_callable(model) and bool(parts) and all(part.built for part in parts)


def save_weights(model: Any, path: Path) -> None:
    """Write the weights as a Keras ``.weights.h5`` file, without the optimizers' states.

    Adam's state is twice the size of the weights, and a stored model is used, not resumed.

    Args:
        model: The model, which has weights.
        path: The file.
    """
    kept = [getattr(model, "optimizer", None), *vars(model).values()]
    optimizers = [each for each in kept if isinstance(each, keras.optimizers.Optimizer)]
    skipped = {"objects_to_skip": optimizers} if optimizers else {}
    was_built = model.built
    if not was_built:
        model.built = True  # Keras saves no other
    try:
        keras.saving.save_weights(model, str(path), **skipped)
    finally:
        if not was_built:
            model.built = False


def _is_callable(model: Any) -> bool:
    return not str(type(model).call.__module__).startswith("keras.")
