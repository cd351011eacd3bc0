"""Whether the variables of layers are what their initializers give."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.rows import Array, to_numpy

_MOST_ELEMENTS = 100_000
_MOST_ELEMENTS_OF_LARGE = 4_000_000  # of layers that have nothing smaller, all together
_MOST_RANDOM = 16  # beyond those that have nothing else: loaded weights are rarely a few
_KERAS = "keras."
# Of layers that have no attribute for it.
_FIXED = {
    ("RMSNormalization", "scale"): keras.initializers.Ones,
    ("Normalization", "mean"): keras.initializers.Zeros,
    ("Normalization", "variance"): keras.initializers.Ones,
}

Pair = tuple[Any, Any]


def have_initial_values(model: Any) -> bool:
    """Return whether each layer's smallest variable is as its initializer made it.

    A layer with variables of which none is known to be made by an initializer of Keras' is not,
    nor is one that is quantized or has been adapted. Nothing is drawn from a global generator.
    """
    more: list[Pair] = []
    left = _MOST_ELEMENTS_OF_LARGE
    for layer in model._flatten_layers():
        if not (layer._trainable_variables or layer._non_trainable_variables):
            continue
        pairs = [] if _is_altered(layer) else sorted(_pairs(layer), key=_size)
        if not pairs:
            return False
        if _size(pairs[0]) > _MOST_ELEMENTS:
            left -= _size(pairs[0])
        if left < 0 or not _is_initial(layer, *pairs[0]):
            return False
        small = [each for each in pairs[1:] if _size(each) <= _MOST_ELEMENTS]
        more += [(layer, each) for each in small if _is_random(each[1])][:1]
    step = max(1, len(more) // _MOST_RANDOM)
    return all(_is_initial(layer, *pair) for layer, pair in more[::step])


def _is_altered(layer: Any) -> bool:
    is_quantized = getattr(layer, "quantization_mode", None) is not None
    return is_quantized or bool(getattr(layer, "lora_enabled", False))


def _pairs(layer: Any) -> Iterator[Pair]:
    """Yield a layer's own variables that can be made again, with their initializers."""
    variables = {
        variable.name: variable
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables)
    }
    known = dict(_known_initializers(layer))
    for name, variable in variables.items():
        names = (name, name.removesuffix("_kernel"), "depthwise" if name == "kernel" else name)
        initializer = next((known[each] for each in names if each in known), None)
        if initializer is not None:
            yield variable, initializer


def _size(pair: Pair) -> int:
    return math.prod(pair[0].shape)


def _known_initializers(layer: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(layer).items():
        if name.endswith("_initializer") and _is_known(value):
            yield name.strip("_").removesuffix("_initializer"), value
    for (class_name, name), kind in _FIXED.items():
        if type(layer).__name__ == class_name and type(layer).__module__.startswith(_KERAS):
            yield name, kind()


def _is_known(initializer: Any) -> bool:
    """Return whether it is one of Keras' own, and draws from nothing but a seed of its own."""
    if not type(initializer).__module__.startswith(_KERAS):
        return False
    if not isinstance(initializer, keras.initializers.Initializer):
        return False
    return isinstance(getattr(initializer, "seed", 0), int)


def _is_random(initializer: Any) -> bool:
    return hasattr(initializer, "seed")


def _is_initial(layer: Any, variable: Any, initializer: Any) -> bool:
    held = to_numpy(variable)
    made = _made(layer, variable, initializer, held.dtype)
    if isinstance(layer, keras.layers.EinsumDense) and _is_random(initializer):
        # It counts what comes in and goes out in a way of its own, so the scale is another.
        held, made = (each / max(np.abs(each).max(), 1e-30) for each in (held, made))
        return bool(np.allclose(held, made, rtol=1e-4, atol=1e-6))
    return bool(held.dtype == made.dtype and held.tobytes() == made.tobytes())


def _made(layer: Any, variable: Any, initializer: Any, dtype: Any) -> Array:
    shape = tuple(variable.shape)
    if not isinstance(initializer, (keras.initializers.Zeros, keras.initializers.Ones)):
        return to_numpy(initializer(shape, dtype=variable.dtype))
    made = np.full(shape, float(isinstance(initializer, keras.initializers.Ones)), dtype)
    if variable.name == "bias" and getattr(layer, "unit_forget_bias", False):
        made[shape[0] // 4 : shape[0] // 2] = 1  # of an LSTM: the second of four parts
    return made
