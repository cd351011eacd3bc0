"""Hyperparameters of a run: what ``fit`` and ``compile`` were given, and the user adds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.architecture import model_config
from modelkb_callbacks.compile_settings import compile_settings
from modelkb_callbacks.constructor_settings import constructor_settings
from modelkb_callbacks.credentials import redacted
from modelkb_callbacks.fit_call import FitCall
from modelkb_callbacks.model_arguments import ModelArguments, is_of_own_class
from modelkb_callbacks.plain_values import plain
from modelkb_callbacks.rows import are_arrays
from modelkb_store.ids import canonical_json
from modelkb_store.records import HyperparameterRecord

_OF_MODEL = ("compile", "model")

_NOTHING: Mapping[str, tuple[Any, str]] = {}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE | re.ASCII)
_NO_VARIABLES: Mapping[str, str] = {}


def collect(
    experiment_id: str,
    model: Any,
    call: FitCall,
    keras_params: Mapping[str, Any],
    user_params: Mapping[str, Any],
    *,
    scanned: Mapping[str, tuple[Any, str]] = _NOTHING,
    environment: Mapping[str, str] = _NO_VARIABLES,
) -> list[HyperparameterRecord]:
    """Return all hyperparameters.

    Where a name comes twice, the user's own wins over ``fit``, that over ``compile``, that
    over the environment, and what the run shows over what the scanner read in the source.

    Args:
        experiment_id: The run.
        model: The compiled model.
        call: The arguments of ``fit``; those left at None are passed over.
        keras_params: What Keras tells callbacks, for when the call was not seen.
        user_params: From ``ModelKB(params=...)``.
        scanned: What the scanner found, by name: the value and where it was seen.
        environment: The environment variables that the data slice reads.
    """
    found: dict[str, tuple[Any, str]] = {str(name): each for name, each in scanned.items()}
    for source, pairs in (
        ("environment", environment.items()),
        ("model", _of_model(model)),
        ("compile", compile_settings(model)),
        ("compile", _of_own_compile(model)),
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
    # What a model was made with is plain and bounded already, and larger than other settings.
    is_plain = source == "model" or (source == "compile" and name.startswith("compile."))
    short = value if is_plain else plain(value, of_user=source == "user")
    clean = redacted(short, name, of_model=source in _OF_MODEL)
    number = float(value) if isinstance(value, (bool, int, float, np.number, np.bool_)) else None
    if source == "environment" and _NUMBER.fullmatch(value):
        number = float(value)
    return HyperparameterRecord(experiment_id, name, canonical_json(clean), number, source)


def _of_model(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the constructor's arguments of a model of the user's that Keras cannot serialize."""
    if model is not None and is_of_own_class(model) and model_config(model)[0] is None:
        for name, value in ModelArguments.of(model).values.items():
            yield f"model.{name}", value


def _of_own_compile(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a ``compile`` of the user's own was given, such as two optimizers."""
    if model is not None and getattr(model, "compiled", False):
        for name, value in ModelArguments.of_compile(model).values.items():
            yield f"compile.{name}", value


def _of_fit(call: FitCall, keras_params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    epochs = keras_params.get("epochs")  # unknown to a block without a `fit`
    yield from ({"epochs": epochs} if epochs is not None else {}).items()
    yield from call.settings.items()
    x, _ = call.training_data()
    if "batch_size" not in call.settings and are_arrays(x):
        yield "batch_size", call.batch_size
    if call.arguments.get("verbose") is not None:
        yield "verbose", call.arguments["verbose"]
    if call.arguments.get("sample_weight") is not None:
        yield "sample_weight", _size_of(call.arguments["sample_weight"])
    callbacks = [_description_of(item) for item in call.recorders(object) if _counts(item)]
    if callbacks:
        yield "callbacks", callbacks


def _size_of(data: Any) -> Any:
    """Return what can be said of weights that come with the samples; they are data."""
    if isinstance(data, (list, tuple)):
        return {"length": len(data)}
    return plain(data, most_items=0)


def _counts(callback: Any) -> bool:
    """Return whether a callback is the user's, not ours nor one that Keras adds by itself."""
    if isinstance(callback, (keras.callbacks.History, keras.callbacks.ProgbarLogger)):
        return False
    modules = (kind.__module__.partition(".")[0] for kind in type(callback).__mro__)
    return "modelkb_callbacks" not in modules


def _description_of(callback: Any) -> dict[str, Any]:
    settings = {**constructor_settings(callback), **_kept_otherwise(callback)}
    watching = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)
    if isinstance(callback, watching) and isinstance(settings.get("min_delta"), (int, float)):
        # Keras turns the sign as it needs it, and leaves it so for the next fit.
        settings["min_delta"] = abs(settings["min_delta"])
    return {"class_name": type(callback).__name__, "config": settings}


def _kept_otherwise(callback: Any) -> dict[str, Any]:
    """Return settings that callbacks of Keras' keep under other names."""
    kept = getattr(callback, "__dict__", {})
    if isinstance(callback, keras.callbacks.CSVLogger):
        return {"separator": plain(kept.get("sep"))}
    if isinstance(callback, keras.callbacks.ModelCheckpoint):
        # Where it was used before, it goes on with what was the best then.
        return {"initial_value_threshold": plain(kept.get("best"))}
    if isinstance(callback, keras.callbacks.TensorBoard):
        batches = [kept.get("_start_batch"), kept.get("_stop_batch")]
        return {"profile_batch": plain(batches) if kept.get("_should_trace") else 0}
    return {}
