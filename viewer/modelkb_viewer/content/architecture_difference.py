"""What is different between the architectures of two experiments, layer by layer."""

from __future__ import annotations

from typing import Any

import pandas as pd

from modelkb_store import Experiment
from modelkb_store.errors import ArtifactNotFoundError
from modelkb_viewer.content.hyperparameter_values import as_text
from modelkb_viewer.content.layer_alignment import AlignedLayer, align_layers

_MARKS = {"same": "same", "changed": "≠ changed", "added": "+ added", "removed": "- removed"}
COLUMNS = ["change", "class", "first", "second", "setting", "first_value", "second_value"]


def architecture_difference(first: Experiment, second: Experiment) -> pd.DataFrame:
    """Return the layers of two experiments side by side.

    Returns:
        Columns ``change`` (``same``, ``≠ changed``, ``+ added``, ``- removed``), ``class``,
        ``first`` and ``second`` (the layer's path in each model), and for each setting that
        changed a row with ``setting``, ``first_value`` and ``second_value``.

    Raises:
        ArtifactNotFoundError: One of them has no layer table.
    """
    layers = [_layers(each) for each in (first, second)]
    rows = [row for aligned in align_layers(*layers) for row in _rows(aligned)]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=COLUMNS)
    return frame


def difference_in_words(frame: pd.DataFrame) -> str:
    """Return how many layers are the same, changed, added and removed.

    Example:
        >>> difference_in_words(architecture_difference(first, second))
        '3 layers are the same, 1 changed, 0 added, 2 removed.'
    """
    layers = frame[["change", "first", "second"]].drop_duplicates()["change"]
    same, changed, added, removed = ((layers == _MARKS[kind]).sum() for kind in _MARKS)
    return f"{same} layers are the same, {changed} changed, {added} added, {removed} removed."


def _layers(experiment: Experiment) -> list[dict[str, Any]]:
    table = experiment.layers()
    if table.empty:
        raise ArtifactNotFoundError(experiment.id, "layer table", "the model was never built")
    rows: list[dict[str, Any]] = table.sort_values("position").to_dict("records")
    return [{**row, "inbound": list(row["inbound"])} for row in rows]


def _rows(aligned: AlignedLayer) -> list[list[Any]]:
    layer = aligned.first or aligned.second or {}
    paths = [None if each is None else each["path"] for each in (aligned.first, aligned.second)]
    start = [_MARKS[aligned.kind], layer["class_name"], *paths]
    if aligned.kind != "changed":
        return [[*start, None, None, None]]
    return [
        [*start, name, _text(values[0]), _text(values[1])]
        for name, values in aligned.changes.items()
    ]


def _text(value: Any) -> str | None:
    return None if value is None else as_text(value)
