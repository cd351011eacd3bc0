"""Shapes that a configuration tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.network.network import Layer, Network, TensorRef
from modelkb_store.codegen.torch.value import Shape


def checked_shape(shape: Any) -> Shape | None:
    """Return a shape of a configuration; None if it is none."""
    if not isinstance(shape, (list, tuple)) or not shape:
        return None
    if all(each is None or (type(each) is int and each >= 0) for each in shape):
        return tuple(shape)
    return None


def tensor_shapes(raw: Mapping[str, Any]) -> dict[TensorRef, Shape]:
    """Return the shapes of tensors in a functional model, as Keras 3 writes them.

    Args:
        raw: The configuration of the model.
    """
    found: dict[TensorRef, Shape] = {}
    for entry in raw.get("layers") or ():
        for tensor in _tensors(entry.get("inbound_nodes")):
            history, shape = tensor.get("keras_history"), checked_shape(tensor.get("shape"))
            if shape is not None and isinstance(history, list) and len(history) == 3:
                found[TensorRef(str(history[0]), int(history[1]), int(history[2]))] = shape
    return found


def _tensors(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "__keras_tensor__" and isinstance(config, Mapping):
            yield config
        else:
            for each in value.values():
                yield from _tensors(each)
    elif isinstance(value, list):
        for each in value:
            yield from _tensors(each)


def input_shape(part: Layer | Network) -> Shape | None:
    """Return the shape of what comes into a model, or of an input."""
    config: Mapping[str, Any] = part.config
    for key in ("batch_shape", "batch_input_shape", "build_input_shape"):
        shape = checked_shape(config.get(key))
        if shape is not None:
            return shape
    if isinstance(part, Network):
        return input_shape(part.layers[0]) if part.layers else None
    return checked_shape((part.build_config or {}).get("input_shape"))
