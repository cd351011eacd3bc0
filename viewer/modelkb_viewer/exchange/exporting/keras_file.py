"""A ``.keras`` file, which Keras loads on any backend."""

from __future__ import annotations

from modelkb_store import Experiment
from modelkb_viewer.exchange.exporting.exported import Exported


def export(experiment: Experiment, place: str, checkpoint: str | int | None) -> Exported:
    """Write the model with the weights of a checkpoint; see :class:`.exporters.Exporter`."""
    path = experiment.save_model(place, checkpoint)
    return Exported(experiment.id, str(path))
