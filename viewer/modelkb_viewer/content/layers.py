"""The layers of a model, for those who read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from modelkb_store import Experiment


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a model.

    Attributes:
        path: Its name, after those of the models that it is in.
        class_name: Its class.
        inputs: The names of the layers that it takes its inputs from.
        dtype: Its dtype policy.
        output_shape: As Keras prints it.
        settings: Its configuration; None if it was not recorded, or is that of its own layers.
    """

    path: str
    class_name: str
    inputs: tuple[str, ...]
    dtype: str
    output_shape: str
    settings: Mapping[str, Any] | None


def layer_table(experiment: Experiment) -> pd.DataFrame:
    """Return one row per layer, those of nested models included, by their path.

    Returns:
        Columns ``Layer``, ``Class``, ``Output shape``, ``Parameters`` and ``Trainable`` (``yes``,
        ``no`` or ``partly``; empty without parameters).
    """
    rows = experiment.layers()
    shapes = (None if pd.isna(shape) else shape for shape in rows["output_shape"])
    counts = zip(rows["parameter_count"], rows["trainable_parameter_count"], strict=True)
    table: pd.DataFrame = pd.DataFrame(
        {
            "Layer": rows["path"],
            "Class": rows["class_name"],
            "Output shape": [shape_text(shape) for shape in shapes],
            "Parameters": rows["parameter_count"],
            "Trainable": [_trainable(*each) for each in counts],
        }
    )
    return table


def layers_of(experiment: Experiment) -> dict[str, Layer]:
    """Return the layers by their path, in the order of the model."""
    return {
        row["path"]: Layer(
            path=row["path"],
            class_name=row["class_name"],
            inputs=tuple(row["inbound"]),
            dtype=row["dtype"] or "",
            output_shape=shape_text(row["output_shape"]),
            settings=_settings(row["config"]),
        )
        # What is missing is None in them, and a number that is none in pandas' columns.
        for row in pa.Table.from_pandas(experiment.layers()).to_pylist()
    }


def totals(experiment: Experiment) -> dict[str, int]:
    """Return how many layers and parameters the model has; empty if it was not recorded."""
    model = experiment.model()
    if not model:
        return {}
    parameters, trainable = model["parameter_count"], model["trainable_parameter_count"]
    return {
        "Layers": model["layer_count"],
        "Parameters": parameters,
        "Trainable": trainable,
        "Not trainable": parameters - trainable,
    }


def shape_text(recorded: str | None) -> str:
    """Return a recorded shape, or several of them, as Keras prints it.

    Example:
        >>> shape_text("[null, 28, 28]")
        '(None, 28, 28)'
    """
    if recorded is None:
        return ""
    try:
        return _shape(json.loads(recorded))
    except ValueError:
        return recorded


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shape(each)}" for name, each in value.items())
    if not isinstance(value, list):
        return str(value)
    if any(isinstance(each, list | dict) for each in value):
        return ", ".join(map(_shape, value))
    return f"({', '.join(map(str, value))}{',' * (len(value) == 1)})"


def _trainable(parameters: int, trainable: int) -> str:
    if not parameters:
        return ""
    if not trainable:
        return "no"
    return "yes" if trainable == parameters else "partly"


def _settings(recorded: str | None) -> Mapping[str, Any] | None:
    if recorded is None:
        return None
    try:
        found = json.loads(recorded)
    except ValueError:
        found = recorded
    return found if isinstance(found, dict) else {"config": found}
