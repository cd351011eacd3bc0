"""What a model of the user's was made and compiled with, models and layers included."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import keras

from modelkb_callbacks.architecture import model_config
from modelkb_callbacks.constructor_settings import (
    constructor_arguments,
    constructor_defaults,
    plain_setting,
)
from modelkb_callbacks.plain_values import may_walk
from modelkb_callbacks.policy_names import with_policy_names
from modelkb_callbacks.vocabularies import with_vocabularies
from modelkb_store.codegen.network.arguments import SAME, SHARES, layers_in_order
from modelkb_store.ids import canonical_json

_MOST_BYTES = 1_000_000  # of the configurations of one model's arguments
_DEEPEST = 4
_OF_EVERY_LAYER = ("name", "dtype", "trainable", "activity_regularizer", "autocast")
_OF_KERAS = (
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
)


class ModelArguments:
    """Arguments as JSON values, of objects of Keras' their configurations.

    An object that comes twice is the second time told by where it came first. Nothing is drawn.

    Args:
        arguments: What a model of the user's was made or compiled with, by name.
        depth: In how many layers, each an argument of the one around it, these are arguments.

    Attributes:
        values: The same as JSON values.

    Example:
        >>> ModelArguments.of(VAE(encoder, decoder, beta=0.5)).values["beta"]
        0.5
    """

    def __init__(self, arguments: Mapping[str, Any], depth: int = 0) -> None:
        self._depth = depth
        self._layers: dict[str, Any] = {}
        self._owners: dict[int, str] = {}
        self._room = _MOST_BYTES
        self.values: dict[str, Any] = {
            name: self._tried(value, name) for name, value in arguments.items()
        }

    @classmethod
    def of(cls, model: Any, depth: int = 0) -> ModelArguments:
        """Describe the constructor's arguments, of those that a model kept under their names."""
        kept = constructor_arguments(model)
        return cls(
            {name: each for name, each in kept.items() if name not in _OF_EVERY_LAYER}, depth
        )

    @classmethod
    def of_compile(cls, model: Any) -> ModelArguments:
        """Describe what a ``compile`` of the user's own was given beyond what Keras' takes."""
        method = type(model).compile
        if method.__module__.partition(".")[0] == "keras":
            return cls({})
        names = [*inspect.signature(method).parameters][1:]
        usual = inspect.signature(keras.Model.compile).parameters
        kept = vars(model)
        return cls({name: kept[name] for name in names if name in kept and name not in usual})

    def layers(self) -> list[tuple[Any, dict[str, Any]]]:
        """Return models and layers among them with their configurations, as code makes them."""
        return [(self._layers[path], entry) for path, entry in layers_in_order(self.values)]

    def _tried(self, value: Any, path: str) -> Any:
        try:
            return self._described(value, path)
        except Exception:  # noqa: BLE001 - a layer of the user's may be anything
            return {"class_name": type(value).__name__}

    def _described(self, value: Any, path: str) -> Any:
        if isinstance(value, keras.layers.Layer):
            return self._layer(value, path)
        if isinstance(value, _OF_KERAS):
            return self._bounded(_configuration(value), value)
        if _holds_objects(value):
            if isinstance(value, dict):
                return {str(k): self._described(each, f"{path}.{k}") for k, each in value.items()}
            return [self._described(each, f"{path}.{place}") for place, each in enumerate(value)]
        found = plain_setting(value)
        is_by_name = isinstance(value, type) or inspect.isroutine(value)
        if isinstance(found, str) and not isinstance(value, (str, float)) and not is_by_name:
            return {"class_name": type(value).__name__}
        return found

    def _layer(self, layer: Any, path: str) -> dict[str, Any]:
        known = next((each for each, other in self._layers.items() if other is layer), None)
        if known is not None:
            return {"class_name": SAME, "config": known}
        parts = [each for each in layer._flatten_layers() if not _is_input(each)]
        owner = next((self._owners[id(each)] for each in parts if id(each) in self._owners), None)
        if owner is not None:
            return {"class_name": type(layer).__name__, SHARES: owner}
        self._layers[path] = layer
        self._owners |= {id(each): path for each in parts}
        return self._bounded(_layer_configuration(layer, self._depth + 1), layer)

    def _bounded(self, entry: dict[str, Any] | None, value: Any) -> dict[str, Any]:
        size = 0 if entry is None else len(canonical_json(entry))
        if entry is None or size > self._room:
            return {"class_name": type(value).__name__}
        self._room -= size
        return entry


def is_of_own_class(model: Any) -> bool:
    """Return whether a model is neither sequential nor functional."""
    return not (isinstance(model, keras.Sequential) or hasattr(model, "_operations"))


def _layer_configuration(layer: Any, depth: int) -> dict[str, Any] | None:
    if not isinstance(layer, keras.Model):
        return _configuration(layer) or _own_configuration(layer, depth)
    config, _ = model_config(layer)
    if config is None:
        return _own_configuration(layer, depth)
    config, _ = with_vocabularies(layer, config)
    found: dict[str, Any] = with_policy_names(config)
    return found


def _configuration(value: Any) -> dict[str, Any] | None:
    """Return an object as Keras serializes it; None if it does not."""
    try:
        serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
    except Exception:  # noqa: BLE001 - a get_config of the user's may raise anything
        return None
    if not isinstance(serialized, Mapping):
        return None
    # What Keras' losses pass on to their functions is not all in their configurations.
    passed_on = {name: plain_setting(each) for name, each in _passed_on(value).items()}
    config = serialized.get("config")
    if passed_on and isinstance(config, Mapping):
        serialized = {**serialized, "config": {**passed_on, **config}}
    found: dict[str, Any] = with_policy_names(serialized)
    return found


def _passed_on(value: Any) -> dict[str, Any]:
    known = constructor_defaults(type(value))
    passed = vars(value).get("_fn_kwargs") or {}
    return {name: each for name, each in passed.items() if name in known}


def _own_configuration(layer: Any, depth: int) -> dict[str, Any] | None:
    """Return a layer of a class of the user's without a ``get_config``, if it can be made again."""
    kind = type(layer)
    is_of_user = kind.__module__.partition(".")[0] != "keras" and is_of_own_class(layer)
    if depth > _DEEPEST or not is_of_user:  # one that holds what holds it has no end
        return None
    values = {
        "name": layer.name,
        "trainable": layer.trainable,
        **ModelArguments.of(layer, depth).values,
    }
    return {
        "module": None,
        "class_name": kind.__name__,
        "config": values,
        "registered_name": kind.__name__,
    }


def _is_input(layer: Any) -> bool:
    return isinstance(layer, keras.layers.InputLayer)


def _holds_objects(value: Any, depth: int = 0) -> bool:
    """Return whether a list or dictionary, nested or not, has an object of Keras' in it."""
    if not isinstance(value, (list, tuple, dict)) or not may_walk(value) or depth > _DEEPEST:
        return False
    items = list(value.values()) if isinstance(value, dict) else list(value)
    kinds = (keras.layers.Layer, *_OF_KERAS)
    return any(isinstance(each, kinds) or _holds_objects(each, depth + 1) for each in items)
