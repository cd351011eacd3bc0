"""The curves of an experiment, point by point in the order in which they came."""

from __future__ import annotations

from modelkb_store import Experiment
from modelkb_store.records import MetricRecord


def curve_points(experiment: Experiment) -> list[MetricRecord]:
    """Return the rows of the curves, by epoch and time."""
    rows = experiment.table("metrics").sort_by([("epoch", "ascending"), ("wall_time", "ascending")])
    return [MetricRecord(experiment.id, **row) for row in rows.to_pylist()]
