"""Calls of methods of what is no object of a class of the source."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning import argument_parsing
from modelkb_callbacks.scanning.canonical_names import OPTIMIZERS, kind_of
from modelkb_callbacks.scanning.compile_calls import argument_of
from modelkb_callbacks.scanning.data_loaders import method_load, note_pipeline
from modelkb_callbacks.scanning.findings import Event
from modelkb_callbacks.scanning.joining import options_of
from modelkb_callbacks.scanning.known_methods import container_method
from modelkb_callbacks.scanning.layer_calls import add_layer, is_layer
from modelkb_callbacks.scanning.learning_rates import assign_rate, note_compiled
from modelkb_callbacks.scanning.origins import PART, changed
from modelkb_callbacks.scanning.values import (
    NONE,
    Argument,
    Arguments,
    Constant,
    External,
    Instance,
    Items,
    Made,
    Mapping,
    Method,
    Network,
    Opaque,
    Value,
    origins_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_COMPILE_WORDS = {"optimizer", "loss", "metrics"}
_FIT_WORDS = {
    "batch_size",
    "callbacks",
    "class_weight",
    "epochs",
    "initial_epoch",
    "nb_epoch",
    "samples_per_epoch",
    "steps_per_epoch",
    "validation_data",
    "validation_split",
    "validation_steps",
    "verbose",
}
_NAMES_OF_MODELS = re.compile(r"model|net\b|network|autoencoder|\bvae\b|gan\b", re.IGNORECASE)
# Whose `fit` is no training of Keras.
_NOT_MODELS = (
    "sklearn.",
    "xgboost.",
    "lightgbm.",
    "catboost.",
    "keras.preprocessing.",
    "imblearn.",
)
_TAKING_NO_DATA = {"from_config", "load_weights", "set_weights"}
# Methods that leave labels what they are, and those that take a part of the data.
_KEEPING = {"astype", "copy", "flatten", "numpy", "ravel", "reshape", "squeeze", "to_numpy"}
_PARTING = {"shard", "skip", "split", "take"}
# Outside of a model's own `train_step`.
_OWN_LOOPS = {"apply_gradients", "train_on_batch"}
_TRAINING = {"apply_gradients", "minimize", "train_on_batch"}


def call_method(
    machine: Machine, owner: Value, name: str, arguments: Arguments, node: ast.Call
) -> Value:
    """Return what is known of the result of ``owner.name(...)``."""
    if name == "compile" and _compiles(owner, arguments, node):
        return _compile(machine, owner, arguments, node)
    if name in ("fit", "fit_generator") and _fits(machine, owner, name, arguments, node):
        _note(machine, machine.findings.fits, owner, arguments, node)
        return Opaque("the history of a training")
    if name in ("evaluate", "evaluate_generator") and not isinstance(owner, External):
        _note(machine, machine.findings.evaluations, owner, arguments, node)
    if name in _TRAINING:
        machine.findings.sinks.add(node)
        machine.findings.trained_on.update(arguments.origins())
        if name in _OWN_LOOPS and not any(cls.kind == "model" for cls in machine.classes):
            machine.findings.own_loops.append(node)
    if name in _TAKING_NO_DATA:
        machine.findings.no_data.update(arguments.origins())
    if isinstance(owner, Network):
        found = _of_network(machine, owner, name, arguments, node)
        if found is not None:
            return found
    if isinstance(owner, (Constant, Items, Mapping)):
        found = container_method(machine, owner, name, arguments, node)
        if found is not None:
            return found
    if isinstance(owner, Made):
        found = argument_parsing.parser_method(machine, owner, name, arguments, node)
        if found is not None:
            return found
    return _of_something(machine, owner, name, arguments, node)


def _of_something(
    machine: Machine, owner: Value, name: str, arguments: Arguments, node: ast.Call
) -> Value:
    if name.startswith("assign") and isinstance(node.func, ast.Attribute):
        assign_rate(machine, owner, name, arguments.value("value", position=0), node.func.value)
    found = method_load(machine, owner, name, arguments, node)
    if found is not None:
        return found
    note_pipeline(machine, owner, name, arguments, node)
    if is_layer(owner) and name == "__call__":
        return Opaque("the output of a layer", arguments.origins() | origins_of(owner))
    origins = origins_of(owner) | arguments.origins()
    if name in _PARTING and origins:
        origins |= {PART}
    elif name not in _KEEPING:
        origins = changed(origins)
    return Opaque(f"the result of {name}() is known only in a run", origins)


def _note(
    machine: Machine, events: list[Event], owner: Value, arguments: Arguments, node: ast.Call
) -> Value:
    machine.findings.sinks.add(node)
    if not machine.dry:
        events.append(Event(node, owner, arguments, machine.shadow > 0, machine.rates))
    return NONE


def _compile(machine: Machine, owner: Value, arguments: Arguments, node: ast.Call) -> Value:
    event = Event(node, owner, arguments, machine.shadow > 0, machine.rates)
    note_compiled(machine, owner, argument_of(event, "optimizer") or Argument(NONE, node))
    return _note(machine, machine.findings.compiles, owner, arguments, node)


def _is_model(value: Value) -> bool:
    if isinstance(value, Network):
        return True
    return isinstance(value, Instance) and value.cls.kind == "model"


def _compiles(owner: Value, arguments: Arguments, node: ast.Call) -> bool:
    if _is_model(owner):
        return True
    if isinstance(owner, (External, Constant, Items, Mapping)):
        return False
    if _COMPILE_WORDS & set(arguments.keywords):
        return True
    first = arguments.value(position=0)
    if first is None:
        return False
    by_position = len(arguments.positional) > 1 and _is_named_like_a_model(node)
    return by_position or any(_is_optimizer(option) for option in options_of(first))


def _is_optimizer(value: Value) -> bool:
    if isinstance(value, Constant):
        return isinstance(value.value, str) and value.value.lower() in OPTIMIZERS
    if isinstance(value, Made):
        return kind_of(value.name) == "optimizer"
    return isinstance(value, Instance) and value.cls.kind == "optimizer"


def _was_compiled(machine: Machine, owner: Value) -> bool:
    return any(_is_same(event.receiver, owner) for event in machine.findings.compiles)


def _is_same(one: Value, other: Value) -> bool:
    if isinstance(one, Method) and isinstance(other, Method):
        return one.owner is other.owner and one.name == other.name
    return one is other


def _fits(machine: Machine, owner: Value, name: str, arguments: Arguments, node: ast.Call) -> bool:
    if _is_model(owner) or name == "fit_generator":
        return True
    if isinstance(owner, (External, Constant, Items, Mapping)):
        return False
    if isinstance(owner, Made) and (owner.name.startswith(_NOT_MODELS) or is_layer(owner)):
        return False
    if _FIT_WORDS & set(arguments.keywords) or _was_compiled(machine, owner):
        return True
    return isinstance(owner, (Opaque, Method)) and _is_named_like_a_model(node)


def _is_named_like_a_model(node: ast.Call) -> bool:
    target = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return bool(_NAMES_OF_MODELS.search(name))


def _of_network(
    machine: Machine, owner: Network, name: str, arguments: Arguments, node: ast.Call
) -> Value | None:
    if name == "add":
        add_layer(machine, owner, arguments, node)
        return NONE
    if name == "pop" and owner.elements and not machine.hides(owner.birth):
        owner.elements.pop()
        return NONE
    return None
