"""Small models of an operation of Keras, for each of its settings one."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import KerasTensor

from modelkb_store.codegen.keras.api import KerasOperation

_SHAPES = [(3, 4, 4), (3, 8, 8, 3), (4,), (6, 4)]
# What some parameters have to be, tried one after the other; all others are tensors.
_PLAIN: dict[str, list[Any]] = {
    "axis": [1],
    "axis1": [1],
    "axis2": [2],
    "axes": [(0, 2, 1), 1],
    "average_axes": [1],
    "block_size": [2],
    "bottom_padding": [1],
    "decimals": [1],
    "destination": [2],
    "dtype": ["float16", "int32"],
    "equation": ["...i,...j->...ij"],
    "fft_length": [4],
    "indices_or_sections": [2, (1, 2)],
    "k": [1],
    "kernel_size": [2, (3, 3)],
    "length": [4],
    "n": [2],
    "newshape": [(-1, 2), [8]],
    "num": [4],
    "num_classes": [3],
    "num_segments": [3],
    "order": [1],
    "ord": [2],
    "output_shape": [(4, 4)],
    "pad_width": [1, ((0, 0), (1, 2), (0, 0))],
    "padding": ["same", "valid"],
    "pattern": ["a b c -> a c b"],
    "pool_size": [2],
    "q": [0.5],
    "reduction": ["add"],
    "repeats": [2],
    "seed": [3],
    "sequence_length": [2],
    "sequence_stride": [1],
    "shape": [(3, 4, 4), (2, 3, 4, 4)],
    "shift": [1],
    "size": [(4, 4)],
    "source": [1],
    "sections": [2],
    "strides": [1],
    "subscripts": ["bij,bjk->bik"],
    "target_height": [10],
    "target_width": [10],
    "x_min": [0.0],
    "x_max": [1.5],
    "max_val": [1.0],
    "method": ["linear"],
    "start_indices": [(0, 0, 0, 0)],
    "keepdims": [True],
    "negative_slope": [0.3],
    "alpha": [0.5],
    "approximate": [False],
    "threshold": [0.3],
    "min_pool": [True],
    "data_format": ["channels_first"],
    "interpolation": ["nearest"],
    "mode": ["constant"],
    "antialias": [True],
    "top_k": [2],
    "dims": [(0,)],
    "rcond": [0.1],
    "descending": [True],
}


def operation_models(described: KerasOperation) -> Iterator[tuple[str, keras.Model]]:
    """Make models of an operation: its required arguments, and each other one of its settings."""
    function = _function(described.function)
    required = [name for name, default in described.parameters.items() if default is None]
    base = _working(function, required)
    if base is None:
        return
    yield "", _model(function, base)
    for name, default in described.parameters.items():
        if default is None:
            continue
        for value in _settings(name, default[0]):
            made = _model_or_none(function, {**base, name: value})
            if made is not None:
                yield f"{name}={value!r}", made


def _function(spelling: str) -> Callable[..., Any]:
    found: Any = keras
    for part in spelling.split("."):
        found = getattr(found, part)
    return found


def _working(function: Callable[..., Any], required: Sequence[str]) -> dict[str, Any] | None:
    """Return arguments of which the operation makes a tensor."""
    for shape, dtype in itertools.product(_SHAPES, ("float32", "int32", "bool")):
        options = [_options(name, shape, dtype) for name in required]
        for values in itertools.islice(itertools.product(*options), 8):
            chosen = dict(zip(required, values, strict=True))
            if _model_or_none(function, chosen) is not None:
                return chosen
    return None


def _options(name: str, shape: tuple[int, ...], dtype: str) -> list[Any]:
    found = [*_PLAIN.get(name, []), _Tensor(shape, dtype)]
    return [*found, _Tensors(shape, dtype)] if name in ("xs", "inputs", "arrays") else found


def _model_or_none(
    function: Callable[..., Any], arguments: Mapping[str, Any]
) -> keras.Model | None:
    """Make a model; None if these are no arguments of the operation."""
    with contextlib.suppress(Exception):
        return _model(function, arguments)
    return None


class _Tensor:
    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self.shape, self.dtype = shape, dtype

    def made(self) -> Any:
        return keras.Input(self.shape, dtype=self.dtype)


class _Tensors(_Tensor):
    def made(self) -> Any:
        return [keras.Input(self.shape, dtype=self.dtype) for _ in range(2)]


def _model(function: Callable[..., Any], arguments: Mapping[str, Any]) -> keras.Model:
    values = {
        name: each.made() if isinstance(each, _Tensor) else each for name, each in arguments.items()
    }
    inputs = [
        each for each in keras.tree.flatten(list(values.values())) if isinstance(each, KerasTensor)
    ]
    outputs = function(**values)
    model = keras.Model(
        inputs, [each for each in keras.tree.flatten(outputs) if isinstance(each, KerasTensor)]
    )
    model.get_config()
    return model


def _settings(name: str, default: Any) -> list[Any]:
    if isinstance(default, bool):
        return [not default]
    found = list(_PLAIN.get(name, []))
    if isinstance(default, int):
        found.append(default + 1)
    if isinstance(default, float):
        found.append(default / 2)
    if default is None and name not in _PLAIN:
        found += [1, 0.5]
    return found
