"""The objects of a training whose classes may be the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from modelkb_callbacks.fit_call import FitCall


def user_objects(model: Any, call: FitCall) -> Iterator[Any]:
    """Walk what a model and a call of ``fit`` are made of.

    These are the model, its layers with the functions and objects that they were given, the
    optimizer and its schedule, losses, metrics, and the callbacks with the functions that they
    were given. Keras' own are among them.
    """
    for layer in (model, *model._flatten_layers(include_self=False)):
        yield layer
        yield from _settings_of(layer)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        yield optimizer
        yield from _settings_of(optimizer)
    config = getattr(getattr(model, "_compile_config", None), "config", None) or {}
    for name in ("loss", "metrics", "weighted_metrics"):
        for leaf in keras.tree.flatten(config.get(name)):
            if leaf is not None and not isinstance(leaf, str):
                yield leaf
    for callback in call.recorders(object):
        yield callback
        yield from _settings_of(callback)


def _settings_of(part: Any) -> Iterator[Any]:
    """Walk functions and objects of user's making among an object's attributes."""
    for value in list(getattr(part, "__dict__", {}).values()):
        if callable(value) and not isinstance(value, (keras.layers.Layer, keras.Variable)):
            yield value
