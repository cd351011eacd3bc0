"""An ONNX file."""

from __future__ import annotations

from pathlib import Path

from modelkb_store import Experiment
from modelkb_store.errors import InvalidSettingError
from modelkb_viewer.exchange.exporting.exported import Exported
from modelkb_viewer.exchange.exporting.keras_export import export_model


def export(experiment: Experiment, place: str, checkpoint: str | int | None) -> Exported:
    """Write the forward pass of a checkpoint; see :class:`.exporters.Exporter`.

    Keras needs onnx and, on TensorFlow, tf2onnx for it.
    """
    path = Path(place)
    if path.suffix != ".onnx":
        raise InvalidSettingError("path", place, "a name that ends with .onnx")
    export_model(experiment, path, checkpoint, "onnx", needs="onnx tf2onnx")
    return Exported(experiment.id, place)
