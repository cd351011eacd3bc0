"""Names and values in Keras' logs, as they are recorded."""

from __future__ import annotations

from typing import Any

_VALIDATION_PREFIX = "val_"


def split_and_metric(name: str) -> tuple[str, str]:
    """Return the split that a name of Keras' history tells, and the metric.

    Example:
        >>> split_and_metric("val_loss")
        ('validation', 'loss')
    """
    if name.startswith(_VALIDATION_PREFIX):
        return "validation", name[len(_VALIDATION_PREFIX) :]
    return "train", name


def as_number(value: Any) -> float | None:
    """Return a value of the logs as Keras' history has it; None for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None  # a metric that gives a vector or a picture
