"""What a model takes, as it was recorded: shape, type and range of each input."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelkb_store import Experiment
from modelkb_store.errors import ArtifactNotFoundError

_CHANNELS = (1, 3, 4)
_SMALLEST_PICTURE = 4  # pixels of a side; less is more likely something else
_SMALLEST_PLAIN_PICTURE = 8  # where no axis of channels says that it is a picture
_MOST_FIELDS = 40
_SMALLEST_WRITTEN_OUT, _LARGEST_WRITTEN_OUT = 1e-4, 1e12
_TEXTS = ("str", "<U", "object", "string", "bytes")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input.

    Attributes:
        name: Its name, where the model takes its inputs by name.
        label: What to call it before people.
        shape: Of one sample; None for an axis of any extent.
        dtype: The type of its values, by NumPy's name.
        low: The smallest number in the training data; None if unknown.
        high: The largest.
        channels_first: Whether the channels of a picture come before its rows.
    """

    name: str | None
    label: str
    shape: tuple[int | None, ...]
    dtype: str
    low: float | None = None
    high: float | None = None
    channels_first: bool = False

    @property
    def is_text(self) -> bool:
        """Whether a sample is a text."""
        return self.dtype.startswith(_TEXTS)

    @property
    def is_integer(self) -> bool:
        """Whether its values are whole numbers."""
        return self.dtype.startswith(("int", "uint"))

    @property
    def value_count(self) -> int | None:
        """How many values a sample has; None if any number."""
        return None if None in self.shape else math.prod(each or 0 for each in self.shape)

    @property
    def field_count(self) -> int | None:
        """How many fields a form of it has; None where that would be too many."""
        count = self.value_count
        is_flat = len(self.shape) <= 1 and not self.is_text
        return count if is_flat and count is not None and 0 < count <= _MOST_FIELDS else None

    @property
    def picture_size(self) -> tuple[int | None, int | None, int] | None:
        """Rows, columns and channels, if a sample can be a picture."""
        if self.is_text:
            return None
        if len(self.shape) == 3:
            if self.channels_first:
                channels, rows, columns = self.shape
            else:
                rows, columns, channels = self.shape
            fits = all(each is None or each >= _SMALLEST_PICTURE for each in (rows, columns))
            return (rows, columns, channels) if channels in _CHANNELS and fits else None
        if len(self.shape) == 2:
            fits = all(each and each >= _SMALLEST_PLAIN_PICTURE for each in self.shape)
            return (*self.shape, 1) if fits else None
        side = math.isqrt(self.shape[0] or 0) if len(self.shape) == 1 else 0
        is_square = side >= _SMALLEST_PLAIN_PICTURE and side * side == self.shape[0]
        return (side, side, 1) if is_square else None

    def shape_text(self) -> str:
        """Return the shape of one sample in words."""
        if not self.shape:
            return "one text" if self.is_text else "one number"
        if len(self.shape) == 1:
            what = "text" if self.is_text else "value"
            count = "any number of" if self.shape[0] is None else f"{self.shape[0]:,}"
            return f"{count} {what}" + ("" if self.shape[0] == 1 else "s")
        return " x ".join("any" if each is None else str(each) for each in self.shape)

    def text(self) -> str:
        """Return all of it in words."""
        known = self.low is not None and self.high is not None and not self.is_text
        values = f", values {number(self.low)}..{number(self.high)} in training" if known else ""
        return f"{self.shape_text()}, {self.dtype}{values}"


def number(value: float | None) -> str:
    """Return a number with four significant digits; whole ones with all of theirs.

    Example:
        >>> number(14936.21)
        '14,940'
    """
    if value is None:
        return "unknown"
    rounded = float(value) if float(value).is_integer() else float(f"{value:.4g}")
    if not _SMALLEST_WRITTEN_OUT <= abs(rounded) < _LARGEST_WRITTEN_OUT:
        return f"{rounded:.4g}"
    return f"{rounded:,.0f}" if rounded.is_integer() else f"{rounded:,}"


def input_specs(experiment: Experiment) -> list[InputSpec]:
    """Return the inputs that the model of an experiment takes, in its order.

    Raises:
        ArtifactNotFoundError: Neither its data nor its architecture tells.
        CorruptFileError: A file is damaged.
    """
    seen = json.loads(experiment.dataset().get("inputs") or "[]")
    layers = _input_layers(experiment)
    if not seen and not layers:
        reason = "neither its training data nor its input layers were recorded"
        raise ArtifactNotFoundError(experiment.id, "shape of the inputs", reason)
    channels_first = experiment.environment().get("image_data_format") == "channels_first"
    return [
        _spec(place, leaf, layer, channels_first)
        for place, (leaf, layer) in enumerate(_pairs(seen, layers))
    ]


def names_of(specs: Sequence[InputSpec]) -> list[str] | None:
    """Return the names of inputs that a model takes by name; None if it takes them in order."""
    names = [spec.name for spec in specs if spec.name is not None]
    return names if len(names) == len(specs) else None


def _pairs(
    seen: list[dict[str, Any]], layers: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what was seen of each input, with the layer that takes it."""
    by_name = {layer.get("name"): layer for layer in layers}
    if not seen:
        # By their names, as the order in which its caller has them is not known.
        several = len(layers) > 1
        yield from (({"name": layer.get("name") if several else None}, layer) for layer in layers)
        return
    same_count = len(seen) == len(layers)
    for place, leaf in enumerate(seen):
        yield leaf, by_name.get(leaf.get("name")) or (layers[place] if same_count else {})


def _spec(
    place: int, leaf: Mapping[str, Any], layer: Mapping[str, Any], channels_first: bool
) -> InputSpec:
    shape_of_layer = layer.get("batch_shape") or layer.get("batch_input_shape")
    taken = None if shape_of_layer is None else list(shape_of_layer)[1:]
    shape = leaf.get("shape") if leaf.get("shape") is not None else taken
    if shape is not None and taken is not None and len(shape) == len(taken):
        shape = [mine if mine is not None else his for mine, his in zip(shape, taken, strict=True)]
    name = leaf.get("name")
    return InputSpec(
        name=None if name is None else str(name),
        label=str(name or layer.get("name") or f"input {place + 1}"),
        shape=tuple(shape or ()),
        dtype=str(leaf.get("dtype") or layer.get("dtype") or "float32"),
        low=_finite(leaf.get("min")),
        high=_finite(leaf.get("max")),
        channels_first=channels_first,
    )


def _finite(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _input_layers(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the configurations of the input layers, in the order of the model's inputs."""
    try:
        config = (experiment.architecture().model_config or {}).get("config") or {}
    except ArtifactNotFoundError:
        return []
    layers = config.get("layers") if isinstance(config, dict) else None
    inputs = {
        str(entry["config"].get("name")): entry["config"]
        for entry in layers or ()
        if entry.get("class_name") == "InputLayer" and isinstance(entry.get("config"), dict)
    }
    names = list(dict.fromkeys(_names_in(config.get("input_layers")))) if inputs else []
    ordered = [inputs[name] for name in names if name in inputs]
    if not ordered and not inputs and isinstance(config.get("build_input_shape"), list):
        return [{"batch_shape": config["build_input_shape"]}]
    return ordered or list(inputs.values())


def _names_in(structure: Any) -> Iterator[str]:
    """Return the names of layers in Keras' structure of ``[name, node, tensor]``."""
    if isinstance(structure, Mapping):
        for each in structure.values():
            yield from _names_in(each)
    elif isinstance(structure, list):
        if len(structure) == 3 and isinstance(structure[0], str):
            yield structure[0]
        else:
            for each in structure:
                yield from _names_in(each)
