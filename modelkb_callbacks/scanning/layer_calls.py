"""Layers, what they are called on, and the models made of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from modelkb_callbacks.scanning.canonical_names import kind_of, last_part
from modelkb_callbacks.scanning.joining import options_of
from modelkb_callbacks.scanning.origins import INPUT, NO_ORIGINS, LayerSite, Origin, changed
from modelkb_callbacks.scanning.values import (
    NONE,
    Arguments,
    Choice,
    Constant,
    Instance,
    Item,
    Items,
    Made,
    Network,
    Opaque,
    Value,
    is_tensor,
    origins_of,
)

if TYPE_CHECKING:
    from modelkb_callbacks.scanning.machine import Machine

_DEEPEST_WRAPPER = 4
_DEEPEST_MODEL = 16  # a model may be put into itself


def site_of(node: ast.AST, name: str) -> LayerSite:
    """Return the place of a call."""
    return LayerSite(getattr(node, "lineno", 0), getattr(node, "col_offset", 0), name)


def layer_of(machine: Machine, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Follow the making of a layer of Keras."""
    site = site_of(node, last_part(name))
    made = Made(name, arguments, site, arguments.origins())
    note(machine, made, node)
    return made


def note(machine: Machine, made: Made | Instance, node: ast.AST) -> None:
    """Note a layer, for the model class whose code makes it, too."""
    home = machine.findings.made_in.get(made.site)
    if home is not None:
        machine.findings.class_sites.setdefault(home, {})[made.site] = None
    else:
        machine.note_layer(made.site)
    machine.findings.layers.setdefault(made.site, []).append(made)
    machine.findings.sinks.add(node)


def merged(machine: Machine, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Follow a merging function, which makes its layer and calls it."""
    site = site_of(node, name)
    note(machine, Made(f"keras.layers.{name}", arguments, site), node)
    return Opaque("the output of a layer", arguments.origins() | {site}, site)


def apply(machine: Machine, callee: Value, arguments: Arguments, node: ast.expr) -> Value:
    """Follow the call of an object: of a layer, a model, or of something unknown."""
    origins = arguments.origins()
    tensors = any(is_tensor(argument.value) for argument in arguments.all())
    if is_layer(callee) or (
        tensors and isinstance(callee, (Made, Instance)) and not _is_model(callee)
    ):
        assert isinstance(callee, (Made, Instance))
        if not is_layer(callee):
            note(machine, callee, node)
        made = {callee.site, *inner_sites(callee)}
        return Opaque("the output of a layer", origins | callee.origins | made, callee.site)
    if isinstance(callee, Network):
        return Opaque("the output of a model", origins, output_of(callee))
    if tensors and isinstance(callee, Opaque) and not machine.dry:
        machine.findings.unknown_layers[node] = callee.reason
    origins = changed(origins | origins_of(callee))
    return Opaque("the result of a call that is not followed", origins)


def inner_sites(layer: Made | Instance, depth: int = 0) -> list[LayerSite]:
    """Return the layers that a wrapper such as ``Bidirectional(LSTM(8))`` is made with."""
    found: list[LayerSite] = []
    for argument in layer.arguments.all() if depth < _DEEPEST_WRAPPER else ():
        value = argument.value
        if isinstance(value, (Made, Instance)) and is_layer(value):
            found += [value.site, *inner_sites(value, depth + 1)]
    return found


def _is_model(value: Value) -> bool:
    return isinstance(value, Instance) and value.cls.kind == "model"


def is_layer(value: Value) -> bool:
    """Return whether a value is a layer."""
    if isinstance(value, Made):
        return kind_of(value.name) == "layer"
    return isinstance(value, Instance) and value.cls.kind == "layer"


def input_of(arguments: Arguments) -> Value:
    """Follow ``Input(...)``."""
    return Opaque("an input", arguments.origins() | {INPUT})


def network_of(machine: Machine, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Follow the making of a model of Keras."""
    kind = kind_of(name)
    if kind == "model":
        return functional_network(machine, last_part(name), arguments, node)
    made = Network(kind or "other", last_part(name), node, _given_name(arguments))
    if kind == "sequential":
        layers = arguments.value("layers", position=0)
        for option in options_of(layers) if layers is not None else ():
            if isinstance(option, Items):
                made.elements += option.items
            elif isinstance(option, Opaque):
                made.elements.append(Item(option, node))
    elif kind == "application":
        made.origins = origins_of(arguments.value("input_tensor", position=2) or NONE)
    _note_network(machine, made)
    return made


def functional_network(
    machine: Machine, name: str, arguments: Arguments, node: ast.expr
) -> Network:
    """Follow ``Model(inputs, outputs)``, also of a user's subclass."""
    outputs = arguments.value("outputs", "output", position=1)
    inputs = arguments.value("inputs", "input", position=0)
    made = Network("functional", name, node, _given_name(arguments))
    if outputs is not None:
        made.origins = origins_of(outputs) - _beyond(inputs)
        made.output = outputs.maker if isinstance(outputs, Opaque) else None
    _note_network(machine, made)
    return made


def _beyond(inputs: Value | None) -> frozenset[Origin]:
    """Return the layers before the inputs: those of a model that another one goes on from."""
    if inputs is None:
        return NO_ORIGINS
    return frozenset(each for each in origins_of(inputs) if isinstance(each, LayerSite))


def _given_name(arguments: Arguments) -> str | None:
    name = arguments.value("name")
    return name.value if isinstance(name, Constant) and isinstance(name.value, str) else None


def _note_network(machine: Machine, made: Network) -> None:
    made.is_part = machine.in_layer_class()
    made.birth = machine.birth
    machine.findings.networks.setdefault(made.node, []).append(made)
    machine.findings.sinks.add(made.node)


def element_sites(value: Value) -> list[LayerSite]:
    """Return the sites of one element of a Sequential; several of one that is unknown."""
    if isinstance(value, Choice):
        return [site for option in value.options for site in element_sites(option)]
    if isinstance(value, (Made, Instance)):
        return [] if isinstance(value, Made) and kind_of(value.name) == "input" else [value.site]
    if isinstance(value, Network):
        return [site_of(value.node, value.class_name)]
    return []


def output_of(network: Network, depth: int = 0) -> LayerSite | None:
    """Return the layer whose output a model's output is, if it is known."""
    if network.kind == "functional":
        return network.output
    if network.kind == "sequential" and network.elements:
        last = network.elements[-1].value
        sites = element_sites(last)
        if isinstance(last, Network):
            return output_of(last, depth + 1) if depth < _DEEPEST_MODEL else None
        return sites[0] if len(sites) == 1 else None
    return None


def output_tensor(network: Network) -> Opaque:
    """Return what ``model.output`` is."""
    sites = [site for item in network.elements for site in element_sites(item.value)]
    return Opaque(
        "the output of a model", network.origins | frozenset(sites) | {INPUT}, output_of(network)
    )


def add_layer(machine: Machine, network: Network, arguments: Arguments, node: ast.AST) -> None:
    """Follow ``model.add(layer)``; a loop adds one, however often it runs."""
    layer = arguments.value("layer", position=0)
    if layer is not None and not machine.hides(network.birth):
        network.elements.append(Item(layer, node))
