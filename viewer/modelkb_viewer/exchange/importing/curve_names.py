"""From the name of a curve to its split and metric, as Keras names them."""

from __future__ import annotations

from collections.abc import Iterable

_SPLIT_OF_PREFIX = {"val_": "validation", "validation_": "validation", "test_": "test"}
_LARGEST_EPOCH = 2**31 - 1


def split_and_metric(name: str) -> tuple[str, str]:
    """Return the split and the metric that a name in Keras' history means.

    Example:
        >>> split_and_metric("val_loss"), split_and_metric("loss")
        (('validation', 'loss'), ('train', 'loss'))
    """
    for prefix, split in _SPLIT_OF_PREFIX.items():
        if name.startswith(prefix) and name != prefix:
            return split, name[len(prefix) :]
    return "train", name


def epochs_of(steps: Iterable[int]) -> list[int]:
    """Return the epochs of a curve's points: its steps, where they can be epochs.

    Tools with one counter have the epoch in it for what is logged once an epoch. A curve with
    steps that no epoch can be is numbered from 0.
    """
    given = list(steps)
    if all(0 <= step <= _LARGEST_EPOCH for step in given):
        return given
    return list(range(len(given)))
