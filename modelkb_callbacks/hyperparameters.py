"""Hyperparameters of a run: what ``fit`` and ``compile`` were given, and the user adds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.credentials import redacted
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.frameworks.framework import has_own
from modelkb_callbacks.rows import are_arrays
from modelkb_store.ids import canonical_json
from modelkb_store.records import HyperparameterRecord


def collect(
    experiment_id: str,
    model: Any,
    call: FitCall,
    keras_params: Mapping[str, Any],
    user_params: Mapping[str, Any],
) -> list[HyperparameterRecord]:
    """Return all hyperparameters; where a name comes twice, the user's own wins.

    Args:
        experiment_id: The run.
        model: The compiled model.
        call: The arguments of ``fit``; those left at None are passed over.
        keras_params: What Keras tells callbacks, for when the call was not seen.
        user_params: From ``ModelKB(params=...)``.
    """
    found: dict[str, tuple[Any, str]] = {}
    for source, pairs in (
        ("compile", _of_compile(model)),
        ("fit", _of_fit(call, keras_params)),
        ("user", user_params.items()),
    ):
        for name, value in pairs:
            found[str(name)] = (value, source)
    return [
        hyperparameter(experiment_id, name, value, source)
        for name, (value, source) in found.items()
    ]


def hyperparameter(experiment_id: str, name: str, value: Any, source: str) -> HyperparameterRecord:
    """Return one hyperparameter, as JSON text and, if it is one, as a number."""
    plain = redacted(_as_json(value), name, of_model=source == "compile")
    number = float(value) if isinstance(value, (bool, int, float, np.number, np.bool_)) else None
    return HyperparameterRecord(experiment_id, name, canonical_json(plain), number, source)


def shortest_float(value: float) -> float:
    """Return the shortest decimal number that is the same float32, as people wrote it.

    An optimizer keeps its settings in float32, where 0.001 reads 0.0010000000474974513.

    Example:
        >>> shortest_float(0.0010000000474974513)
        0.001
    """
    if not math.isfinite(value) or float(np.float32(value)) != value:
        return value
    return float(str(np.float32(value)))


def _of_fit(call: FitCall, keras_params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    epochs = keras_params.get("epochs")  # unknown to a block without a `fit`
    yield from ({"epochs": epochs} if epochs is not None else {}).items()
    yield from call.settings.items()
    x, _ = call.training_data()
    if "batch_size" not in call.settings and are_arrays(x):
        yield "batch_size", call.batch_size


def _of_compile(model: Any) -> Iterator[tuple[str, Any]]:
    optimizer = getattr(model, "optimizer", None)
    # Mixed precision wraps the optimizer in one that scales the loss.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # A model that compiles itself has optimizers of its own; Keras' default is not used.
    own_compile = isinstance(optimizer, keras.optimizers.RMSprop) and has_own(model, "compile")
    if optimizer is not None and not own_compile:
        yield "optimizer", type(optimizer).__name__
        for name, value in _config_of(optimizer).items():
            if value is not None and name != "name":
                short = _shorten(value)
                yield (name, short) if name == "learning_rate" else (f"optimizer.{name}", short)
    loss = getattr(model, "loss", None)
    if loss is not None:
        yield "loss", _loss_names(loss)


def _config_of(optimizer: Any) -> dict[str, Any]:
    try:
        return dict(optimizer.get_config())
    except Exception:  # noqa: BLE001 - a schedule of the user's without get_config
        return {"learning_rate": str(getattr(optimizer, "_learning_rate", None))}


def _loss_names(loss: Any) -> Any:
    return keras.tree.map_structure(_name_of, loss)


def _name_of(item: Any) -> str | None:
    if item is None or isinstance(item, str):
        return item
    return str(
        getattr(item, "__name__", None) or getattr(item, "name", None) or type(item).__name__
    )


def _shorten(value: Any) -> Any:
    if isinstance(value, float):
        return shortest_float(value)
    if isinstance(value, dict):
        return {name: _shorten(item) for name, item in value.items()}
    return value


def _as_json(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has no word for becomes its text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_as_json(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return _as_json(value.tolist())
    return str(value)
