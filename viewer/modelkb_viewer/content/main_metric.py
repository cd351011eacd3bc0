"""Which metric says how good a run is, where nobody has said so."""

from __future__ import annotations

from collections.abc import Mapping

from modelkb_store.metric_direction import higher_is_better

_ACCURACIES = ("accuracy", "acc")


def main_metrics(runs: Mapping[str, int]) -> list[str]:
    """Return the metrics of a project, the most telling one first.

    Validation comes before test and training; accuracies before other metrics that grow as
    models get better, these before errors, and losses last. Metrics that less than half as many
    runs have as the most frequent one come after all others.

    Args:
        runs: How many runs have each metric, named as in Keras' history.

    Example:
        >>> main_metrics({"loss": 9, "val_loss": 9, "accuracy": 9, "val_accuracy": 9})
        ['val_accuracy', 'val_loss', 'accuracy', 'loss']
    """
    most = max(runs.values(), default=0)
    return sorted(runs, key=lambda name: (2 * runs[name] < most, *_rank(name), name))


def main_metric(runs: Mapping[str, int]) -> str | None:
    """Return the most telling metric; None if there is none."""
    return next(iter(main_metrics(runs)), None)


def _rank(name: str) -> tuple[int, int]:
    split = 0 if name.startswith("val_") else 1 if name.startswith("test_") else 2
    words = name.lower().split("_")
    if any(word in _ACCURACIES for word in words):
        return split, 0
    if higher_is_better(name):
        return split, 1
    return split, 3 if words[-1] == "loss" else 2
