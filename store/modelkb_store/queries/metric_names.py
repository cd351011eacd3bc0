"""How a query names a value of a curve."""

from __future__ import annotations

from dataclasses import dataclass

from modelkb_store.metric_direction import higher_is_better
from modelkb_store.queries.syntax import Name

_COLUMNS = {"last": "last", "first": "first", "min": "min", "max": "max"}


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric as in Keras' history, and which of its values.

    Attributes:
        metric: Such as ``val_loss``.
        column: The column of ``metric_summaries`` with the value.
        epoch: The epoch of the value, instead of a column.
    """

    metric: str
    column: str
    epoch: int | None


def metric_name_of(name: Name) -> MetricName:
    """Return what ``metrics.val_accuracy.best`` or ``metrics.loss@3`` asks for."""
    *inner, last = name.parts[1:]
    if inner and name.epoch is None and last in {*_COLUMNS, "best"}:
        metric = ".".join(inner)
        best = "max" if higher_is_better(metric) else "min"
        return MetricName(metric, _COLUMNS.get(last, best), None)
    return MetricName(".".join((*inner, last)), "last", name.epoch)
