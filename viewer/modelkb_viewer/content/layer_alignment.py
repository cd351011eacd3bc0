"""The layers of two models, put side by side in their order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

# Keras numbers the names that it gives in the order of the process, not of the model.
_NUMBER = re.compile(r"_\d+(?=$|/)")
_NAMES = {"name"}
# What a layer that holds layers says of them: these have rows of their own.
_OF_INNER_LAYERS = {"layers", "input_layers", "output_layers", "build_input_shape"}


@dataclass(frozen=True)
class AlignedLayer:
    """Rows of the layer table that stand side by side.

    Attributes:
        first: The layer of the first model; None if only the second has it.
        second: The layer of the second model; None if only the first has it.
        changes: What is not the same, by name: the value in the first and in the second.
    """

    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``added``, ``removed``, ``changed`` or ``same``."""
        if self.first is None:
            return "added"
        if self.second is None:
            return "removed"
        return "changed" if self.changes else "same"


def align_layers(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]
) -> list[AlignedLayer]:
    """Return the layers of two models side by side, in an order that is that of both.

    Layers of one class may stand beside each other, if possible with the same name (but for the
    number that Keras puts behind it) and the same settings: of all ways to put them side by side
    one with the most in common is taken, as of Needleman and Wunsch ("A general method applicable
    to the search for similarities", 1970), without a penalty for gaps.

    Args:
        first: Rows of the layer table of the first model, in their order.
        second: Those of the second model.
    """
    pairs = _best_pairs(_likeness(first, second))
    aligned, row, column = [], 0, 0
    for i, j in [*pairs, (len(first), len(second))]:
        aligned += [AlignedLayer(layer, None) for layer in first[row:i]]
        aligned += [AlignedLayer(None, layer) for layer in second[column:j]]
        if i < len(first) and j < len(second):
            aligned.append(AlignedLayer(first[i], second[j], layer_changes(first[i], second[j])))
        row, column = i + 1, j + 1
    return aligned


def layer_changes(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Return what is not the same in two layers, by name; None where one has no such setting.

    Example:
        >>> layer_changes({"name": "a", "config": '{"units": 2}'}, {"name": "a", "config": "{}"})
        {'units': (2, None)}
    """
    one, other = _settings(first), _settings(second)
    names = dict.fromkeys([*one, *other])
    return {
        name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)
    }


def _settings(layer: Mapping[str, Any]) -> dict[str, Any]:
    config = json.loads(layer.get("config") or "{}")
    kept = {name: value for name, value in config.items() if name not in _OF_INNER_LAYERS | _NAMES}
    found: dict[str, Any] = {"name": base_name(layer.get("name") or "")}
    found.update(_flat(kept))
    for name in ("output_shape", "parameter_count", "trainable"):
        if layer.get(name) is not None:
            found[name.replace("_", " ")] = layer[name]
    inbound = layer.get("inbound")
    found["takes"] = [base_name(each) for each in inbound] if inbound is not None else None
    return found


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return settings within settings with dots in their names; of an object its class."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name in ("module", "registered_name"):
            continue
        if isinstance(value, Mapping) and isinstance(value.get("config"), Mapping):
            found[before + name] = value.get("class_name")
            found.update(_flat(value["config"], f"{before}{name}."))
        elif isinstance(value, Mapping) and value:
            found.update(_flat(value, f"{before}{name}."))
        else:
            found[before + name] = value
    return found


def base_name(name: str) -> str:
    """Return a layer's name without the number that Keras puts behind it.

    Example:
        >>> base_name("encoder_1/dense_12")
        'encoder/dense'
    """
    return _NUMBER.sub("", name)


def _likeness(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]
) -> npt.NDArray[np.int64]:
    """Return how well each layer of one model goes with each of the other; 0 is not at all."""
    total = np.zeros((len(first), len(second)), np.int64)
    is_same_class = _equal(first, second, lambda layer: layer["class_name"])
    for weight, what in (
        (8, lambda layer: layer["class_name"]),
        (4, lambda layer: base_name(layer["path"])),
        (2, lambda layer: json.dumps(_settings(layer), sort_keys=True, default=str)),
        (1, lambda layer: layer["path"]),
    ):
        total += weight * _equal(first, second, what)
    likeness: npt.NDArray[np.int64] = np.where(is_same_class, total, 0)
    return likeness


def _equal(first: Any, second: Any, what: Any) -> npt.NDArray[np.bool_]:
    codes: dict[str, int] = {}
    one, other = (
        np.array([codes.setdefault(what(layer), len(codes)) for layer in layers], np.int64)
        for layers in (first, second)
    )
    equal: npt.NDArray[np.bool_] = one[:, None] == other[None, :]
    return equal


def _best_pairs(likeness: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    rows, columns = likeness.shape
    best = np.zeros((rows + 1, columns + 1), np.int64)
    for row in range(rows):
        paired = best[row, :-1] + likeness[row]
        # Leaving out costs nothing, so the best up to a column is a running maximum.
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], paired))
    pairs, row, column = [], rows, columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return pairs[::-1]
