"""Calls of what is not of this source: libraries, Keras above all."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning import argument_parsing, data_loaders
from modelkb_callbacks.scanning.canonical_names import kind_of, last_part, merge_layer
from modelkb_callbacks.scanning.joining import options_of
from modelkb_callbacks.scanning.known_functions import MODULES, known_function
from modelkb_callbacks.scanning.layer_calls import (
    input_of,
    layer_of,
    merged,
    network_of,
    site_of,
)
from modelkb_callbacks.scanning.learning_rates import assign_rate, note_made, rate_read
from modelkb_callbacks.scanning.origins import DATASET, INPUT, PART, Origin, changed
from modelkb_callbacks.scanning.scopes import Scope
from modelkb_callbacks.scanning.values import (
    NONE,
    Argument,
    Arguments,
    Constant,
    External,
    Function,
    Instance,
    Items,
    Made,
    Mapping,
    Network,
    Opaque,
    Value,
    origins_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_LOADED_MODELS = {"load_model", "model_from_json", "model_from_yaml", "from_config"}
_KEEPING = {
    "numpy.array",
    "numpy.asarray",
    "numpy.expand_dims",
    "numpy.ravel",
    "numpy.reshape",
    "numpy.squeeze",
}
_PARTING = {"array_split", "split", "split_dataset", "train_test_split"}
_NETWORKS = ("model", "sequential", "application")
# What gives its argument, wrapped in something that is of no interest.
_GIVING_BACK = {"OptionGroup", "multi_gpu_model"}
_NAMESPACES = ("AttrDict", "Box", "ConfigDict", "EasyDict", "Munch", "Namespace", "edict")
_KEPT = ("callback", "loss", "metric", "optimizer", "schedule")


def call_external(
    machine: Machine, name: str, arguments: Arguments, node: ast.expr, scope: Scope
) -> Value:
    """Return what is known of the result of a library's function or class."""
    if name.startswith(MODULES) or last_part(name) in _NAMESPACES:
        found = known_function(machine, name, arguments, node, scope)
        if found is not None:
            return found
    kind = kind_of(name)
    if kind is not None:
        return _of_keras(machine, name, kind, arguments, node)
    merging = merge_layer(name)
    if merging is not None:
        return merged(machine, merging, arguments, node)
    data_loaders.note_randomness(machine, name, arguments, node)
    loader = data_loaders.loader_of(name)
    if loader is not None and isinstance(node, ast.Call):
        return data_loaders.load(machine, loader, name, arguments, node)
    if name == "tensorflow.data.Dataset.from_generator":
        return _from_generator(machine, arguments, node, scope)
    return data_loaders.encoded(name, arguments) or _other(machine, name, arguments, node)


def _from_generator(machine: Machine, arguments: Arguments, node: ast.expr, scope: Scope) -> Value:
    """Follow ``from_generator(function, args=(...))``, which calls the function."""
    from modelkb_callbacks.scanning.calls import call_value

    origins = arguments.origins()
    for option in options_of(arguments.value("generator", position=0) or NONE):
        if isinstance(option, (Function, Instance)) or _is_partial(option):
            passed = arguments.value("args", position=3)
            items = passed.items if isinstance(passed, Items) else []
            given = Arguments([Argument(item.value, node) for item in items])
            origins |= origins_of(call_value(machine, option, given, node, scope))
    return Opaque("a dataset of a generator", changed(origins) | {DATASET})


def _is_partial(value: Value) -> bool:
    return isinstance(value, Made) and value.name == "functools.partial"


def _of_keras(
    machine: Machine, name: str, kind: str, arguments: Arguments, node: ast.expr
) -> Value:
    if kind == "input":
        return input_of(arguments)
    if kind == "layer":
        return layer_of(machine, name, arguments, node)
    if kind in _NETWORKS:
        return network_of(machine, name, arguments, node)
    if kind in _KEPT:
        machine.findings.sinks.add(node)
    made = Made(name, arguments, site_of(node, last_part(name)), arguments.origins())
    if kind == "optimizer":
        note_made(machine, made, node)
    return made


def _other(machine: Machine, name: str, arguments: Arguments, node: ast.expr) -> Value:
    last = last_part(name)
    if argument_parsing.is_parser(name):
        made = Made(name, arguments, site_of(node, last))
        return argument_parsing.parser_of(arguments, made)
    if last.startswith("DEFINE_") and "flags" in name:
        return argument_parsing.define_flag(machine, arguments, node)
    if name.startswith("keras.") and last in _LOADED_MODELS:
        machine.findings.no_data.update(arguments.origins())
        return Network("other", last, node)
    if name == "keras.models.clone_model":
        made_model = Network("other", last, node)
        machine.findings.networks.setdefault(node, []).append(made_model)
        return made_model
    if name in ("keras.optimizers.get", "keras.losses.get", "keras.metrics.get"):
        found = arguments.value("identifier", position=0)
        return found if isinstance(found, Constant) else Opaque(f"the result of {name}")
    if name in ("tensorflow.placeholder", "keras.backend.placeholder"):
        return Opaque("an input", frozenset({INPUT}))
    if last in _GIVING_BACK or (last.startswith("enable_") and "optimizer" in last):
        return arguments.value("model", "opt", "optimizer", "parser", position=0) or Opaque(name)
    if name == "functools.partial" or last[:1].isupper():
        made = Made(name, arguments, site_of(node, last), arguments.origins())
        if machine.classes and not machine.dry:
            machine.findings.made_in.setdefault(made.site, machine.classes[-1].node)
        return made
    if name in ("keras.backend.get_value", "keras.backend.set_value"):
        return _of_variable(machine, last, arguments)
    if name.startswith("wandb."):
        return _of_wandb(machine, name, arguments)
    return Opaque(f"the result of {name} is known only in a run", _origins(name, arguments))


def _of_variable(machine: Machine, name: str, arguments: Arguments) -> Value:
    """Follow ``K.set_value(optimizer.lr, value)`` and its like."""
    variable = arguments.find("x", position=0)
    if variable is None:
        return Opaque(f"the result of {name}() of something unknown")
    if name == "set_value":
        value = arguments.value("value", position=1)
        assign_rate(machine, variable.value, "assign", value, variable.node)
        return NONE
    read = rate_read(machine, variable.value)
    if read is not variable.value:
        return read
    return Opaque("the value of a variable", changed(arguments.origins()))


def _origins(name: str, arguments: Arguments) -> frozenset[Origin]:
    origins = arguments.origins()
    if name.startswith("tensorflow.data."):
        return origins | {DATASET}
    if last_part(name) in _PARTING and origins:
        return origins | {PART}
    return origins if name in _KEEPING else changed(origins)


def _of_wandb(machine: Machine, name: str, arguments: Arguments) -> Value:
    """Follow ``wandb.init(config={...})``, whose values are then read from ``wandb.config``."""
    config = arguments.value("config", position=0 if name == "wandb.config.update" else None)
    if name in ("wandb.init", "wandb.config.update") and isinstance(config, Mapping):
        for key, value in config.items.items():
            machine.findings.set_outside[f"wandb.config.{key}"] = value
    return External("wandb") if name == "wandb.init" else Opaque(f"the result of {name}")
