"""Objects of every class of Keras, with all defaults and with each argument that is not one."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers

# Classes that hold what is not in a configuration, or that nobody makes himself.
NOT_MADE = {"FlaxLayer", "InputLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"}
_ABSTRACT = {"Initializer", "Constraint", "Regularizer", "Loss", "Metric", "Optimizer", "Quantizer"}
_ABSTRACT |= {"InputSpec", "LearningRateSchedule", "QuantizationConfig", "OptimizerMap"}

_REQUIRED: dict[str, Any] = {
    "axes": (1, 2),
    "boundaries": [10, 20],
    "cell": lambda: layers.LSTMCell(2),
    "cells": lambda: [layers.LSTMCell(2), layers.GRUCell(3)],
    "dims": (2, 1),
    "equation": "ab,bc->ac",
    "factor": 0.2,
    "fn": lambda: keras.losses.mean_squared_error,
    "inner_optimizer": lambda: keras.optimizers.SGD(0.3),
    "initial_learning_rate": 0.1,
    "decay_rate": 0.5,
    "layer": lambda: layers.LSTM(2),
    "layers": lambda: [layers.RandomFlip(), layers.Rescaling(2.0)],
    "mode": "int8",
    "name": "float16",
    "output_shape": (None, 3),
    "precision": 0.5,
    "rate": 0.25,
    "recall": 0.5,
    "scale": 0.5,
    "sensitivity": 0.5,
    "specificity": 0.5,
    "stddev": 0.1,
    "target_class_ids": [0],
    "target_shape": (2, 1),
    "value_range": (0.0, 1.0),
    "values": [0.1, 0.2, 0.3],
    "activation": "relu",
    "x_factor": 0.1,
    "height_factor": 0.1,
}
_REQUIRED_OF: dict[str, Mapping[str, Any]] = {
    "AWQDTypePolicy": {"mode": "awq/4/128", "source_name": "float32"},
    "GPTQDTypePolicy": {"mode": "gptq/4/128", "source_name": "float32"},
    "Int4DTypePolicy": {"mode": "int4/64", "source_name": "float32"},
    "QuantizedDTypePolicy": {"mode": "int8", "source_name": "float32"},
    "QuantizedFloat8DTypePolicy": {"mode": "float8", "source_name": "float32"},
    "DTypePolicyMap": {},
    "CategoryEncoding": {"num_tokens": 3},
    "RandomPosterization": {"factor": 3},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": (-0.1, 0.2)},
    "Discretization": {"bin_boundaries": [0.0, 1.5]},
    "Hashing": {"num_bins": 3},
    "SpectralNormalization": {"layer": lambda: layers.Dense(3)},
    "TimeDistributed": {"layer": lambda: layers.Dense(3)},
    "Wrapper": {"layer": lambda: layers.Dense(3)},
    "GroupedQueryAttention": {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2},
}
_OTHER: dict[str, list[Any]] = {
    "activation": ["relu", lambda: keras.activations.gelu, lambda: layers.LeakyReLU(0.3)],
    "recurrent_activation": ["hard_sigmoid"],
    "padding": ["same", (1, 2), ((1, 2), (3, 4)), 2],
    "data_format": ["channels_first", "channels_last"],
    "dtype": ["float16", "mixed_bfloat16", "int8_from_float32", "float64"],
    "trainable": [False],
    "seed": [7],
    "backward_layer": [lambda: layers.GRU(2, go_backwards=True)],
    "merge_mode": ["sum", None],
    "axis": [1, (1, 2), [0]],
    "kernel_size": [(2, 3), 2],
    "strides": [2, (2, 1)],
    "pool_size": [3, (3, 2)],
    "dilation_rate": [2],
    "cropping": [2, (1, 2), ((1, 2), (3, 4))],
    "size": [3, (3, 2)],
    "output_size": [(2, 3)],
    "vocabulary": [["a", "b c", 'quo"te\n'], [5, 6]],
    "idf_weights": [[0.5, 0.25, 0.125]],
    "output_mode": ["multi_hot", "one_hot", "count", "tf_idf"],
    "mask_token": ["", 0],
    "mean": [0.5, [1.0, 2.0]],
    "variance": [2.0],
    "noise_shape": [(None, 1)],
    "fill_mode": ["constant"],
    "interpolation": ["nearest"],
    "quantization_config": [
        lambda: keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
    ],
    "sequence_length": [11],
    "shared_axes": [[1, 2]],
    "learning_rate": [
        0.01,
        1,
        lambda: keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9),
        lambda: keras.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2, 0.3]),
    ],
    "epsilon": [1e-5],
    "momentum": [0.9],
    "reduction": ["sum", None],
    "thresholds": [0.3, [0.25, 0.75]],
    "target_class_ids": [[0, 1]],
    "curve": ["PR"],
    "label_weights": [[0.5, 0.5]],
    "mask_value": [0.5],
    "bias_axes": ["c"],
    "attention_axes": [(1, 2), 1],
    "value_dim": [5],
    "arguments": [{}],
    "standardize": ["lower", None],
    "split": ["character"],
    "ngrams": [2, (1, 3)],
    "value": [0.5],
    "factor": [0.3, (0.1, 0.2)],
    "height_factor": [(-0.1, 0.2)],
    "width_factor": [0.1],
    "fn": [lambda: keras.losses.mean_absolute_error],
    "default_policy": ["mixed_float16"],
    "scale": [[1.0, 2.0], 0.5],
    "weight_quantizer": [lambda: keras.quantizers.AbsMaxQuantizer(axis=0)],
    "boundaries": [],
    "stateful": [True],
    "average": ["macro"],
    "class_aggregation": ["variance_weighted_average"],
    "weights": [],
    "name": ["own 'name'\n\""],
}
_BY_ENDING: dict[str, list[Any]] = {
    "initializer": ["he_normal", lambda: keras.initializers.RandomNormal(stddev=0.5, seed=3)],
    "regularizer": ["l2", lambda: keras.regularizers.L1L2(0.001, 1e-4)],
    "constraint": ["non_neg", lambda: keras.constraints.MaxNorm(3)],
}


def classes(module: Any, base: type[Any] = object) -> list[type[Any]]:
    """Return the public classes of a module of Keras, each once."""
    found = {
        each.__name__: each
        for name, each in vars(module).items()
        if inspect.isclass(each) and issubclass(each, base) and name[0].isupper()
    }
    made = {name: each for name, each in found.items() if name not in NOT_MADE | _ABSTRACT}
    return [made[name] for name in sorted(made)]


def samples(each: type[Any]) -> list[tuple[str, Any]]:
    """Return objects of a class, each with the text of what was passed to it."""
    parameters = dict(list(inspect.signature(each.__init__).parameters.items())[1:])
    required = dict(_REQUIRED_OF.get(each.__name__, {}))
    for name, parameter in parameters.items():
        is_open = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if parameter.default is parameter.empty and not is_open:
            required.setdefault(name, _REQUIRED.get(name, 4))
    required = {key: value for key, value in required.items() if key in parameters}
    found = [("", _made(each, required))]
    extra = ("trainable", "dtype") if issubclass(each, layers.Layer) else ()
    for name in dict.fromkeys([*parameters, *extra]):
        for value in _others(name, parameters.get(name)):
            # Some take no such value, and some configurations cannot be made at all.
            with contextlib.suppress(Exception):
                made = _made(each, {**required, name: value})
                keras.saving.serialize_keras_object(made)
                found.append((f"{name}={value!r}", made))
    return found


def _others(name: str, parameter: inspect.Parameter | None) -> list[Any]:
    if name in _OTHER:
        return _OTHER[name]
    for ending, values in _BY_ENDING.items():
        if name.endswith(ending):
            return values
    default = None if parameter is None else parameter.default
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, float):
        return [0.375, default + 1]
    if isinstance(default, int):
        return [default + 1]
    return [2, 0.5]


def _made(each: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    def value(argument: Any) -> Any:
        return argument() if inspect.isfunction(argument) else argument

    return each(**{name: value(argument) for name, argument in arguments.items()})
