"""What Keras' ``model.export`` writes: the model's forward pass, without Keras."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Literal

from modelkb_store import Experiment
from modelkb_store.errors import MissingPackageError
from modelkb_viewer.exchange.errors import ExportError
from modelkb_viewer.exchange.tensorflow_messages import quieten_tensorflow


def export_model(
    experiment: Experiment,
    path: Path,
    checkpoint: str | int | None,
    format: Literal["onnx", "tf_saved_model"],  # noqa: A002 - as Keras calls it
    *,
    needs: str,
) -> None:
    """Load a model in Keras' safe mode and have Keras export it.

    Args:
        experiment: The experiment.
        path: The file or folder to write.
        checkpoint: Whose weights.
        format: Keras' name of the format.
        needs: The packages that Keras needs for it, as `pip` takes them.

    Raises:
        MissingPackageError: Keras or one of these packages is not installed.
        ModelLoadError: The model cannot be rebuilt without code of the user's.
        ExportError: Keras cannot write this model in this format.
    """
    quieten_tensorflow()
    model = experiment.load_model(checkpoint, compile=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the converters, about themselves
            _call_once(model)
            model.export(str(path), format=format, verbose=False)
    except ImportError as error:
        raise MissingPackageError(
            needs.replace(" ", " and "), f"Exporting a model as {format}", f"pip install {needs}"
        ) from error
    # Keras and the converters raise many kinds for what they cannot write.
    except Exception as error:
        raise ExportError(experiment.id, format, error) from error


def _call_once(model: Any) -> None:
    """Call a model on symbolic inputs: Keras exports to ONNX only what has been called."""
    import keras

    inputs = getattr(model, "input", None)
    if inputs is None:  # a class of the user's
        inputs = keras.Input(batch_shape=model.get_build_config()["input_shape"])
    model(inputs)
