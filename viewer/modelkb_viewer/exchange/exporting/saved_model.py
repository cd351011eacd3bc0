"""A SavedModel of TensorFlow, as TensorFlow Serving and TFLite take it."""

from __future__ import annotations

from pathlib import Path

from modelkb_store import Experiment
from modelkb_viewer.exchange.errors import ExportTargetError
from modelkb_viewer.exchange.exporting.exported import Exported
from modelkb_viewer.exchange.exporting.keras_export import export_model


def export(experiment: Experiment, place: str, checkpoint: str | int | None) -> Exported:
    """Write the forward pass of a checkpoint; see :class:`.exporters.Exporter`."""
    path = Path(place)
    # TensorFlow would write between what is there.
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ExportTargetError(path)
    export_model(experiment, path, checkpoint, "tf_saved_model", needs="tensorflow")
    return Exported(experiment.id, place)
