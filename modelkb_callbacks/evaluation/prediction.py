"""Predicting a sample when the training is over, bounded in time and without a trace."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.evaluation.outputs import Outputs
from modelkb_callbacks.evaluation.passes import OutputTallies
from modelkb_callbacks.evaluation.sample import Sample
from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.model_state import unchanged

_BYTES_PER_VALUE = 4
_UNKNOWN_IS_LARGE = 1 << 20


def output_bytes(model: Any) -> int:
    """Return how large a model's outputs for one row are, or a large number if unknown."""
    try:
        shapes = [tensor.shape[1:] for tensor in keras.tree.flatten(model.outputs)]
    except (AttributeError, ValueError):  # a subclass, or never called symbolically
        return _UNKNOWN_IS_LARGE
    return _BYTES_PER_VALUE * sum(int(np.prod([size or 1 for size in shape])) for shape in shapes)


def predict_sample(
    model: Any, sample: Sample, outputs: Outputs, framework: Framework, seconds: float
) -> tuple[OutputTallies, bool]:
    """Evaluate a model on a sample.

    The model is called directly: ``predict`` would trace a function, which takes seconds for
    a deep model, and leave it on the user's model.

    Args:
        model: The trained model.
        sample: What to predict.
        outputs: Pairs labels with predictions.
        framework: The backend.
        seconds: When this time is over, no further part is begun.

    Returns:
        The figures, and whether they are of the whole sample.
    """
    tallies = OutputTallies(outputs)
    end = time.monotonic() + seconds
    # Keras refuses the argument where the model's call does not take it.
    options = {"training": False} if getattr(model, "_call_has_training_arg", True) else {}
    with unchanged(model, framework), framework.without_gradients():
        for x, y in sample.parts():
            if tallies.tallies and time.monotonic() > end:
                return tallies, False
            tallies.add(*outputs(y, model(x, **options)))
    return tallies, True
