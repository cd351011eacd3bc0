"""Models whose layers are not trained: said once of the model, not of each layer."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

from modelkb_store.codegen.network.network import Network


def is_frozen(network: Network) -> bool:
    """Return whether a model as a whole is said to be frozen."""
    if network.config.get("trainable", True):
        return False
    # A sequential model keeps its layers as they are, so it may say so of itself alone.
    return network.kind == "functional" or not any(True for _ in _trained(network))


def thawed(network: Network) -> Network:
    """Return the same model with all its layers trained."""
    layers = tuple(
        dataclasses.replace(
            layer,
            config={**layer.config, "trainable": True}
            if "trainable" in layer.config
            else layer.config,
            network=None if layer.network is None else thawed(layer.network),
        )
        for layer in network.layers
    )
    return dataclasses.replace(network, layers=layers, config={**network.config, "trainable": True})


def freezing_statements(network: Network, variable: str) -> list[ast.stmt]:
    """Write what freezes a model: ``model.trainable = False``, and what of it is trained.

    Args:
        network: The frozen model.
        variable: The variable that holds it.
    """
    model = ast.Name(variable)
    statements = [_assign(model, is_trained=False)]
    for path in _trained(network):
        layer: ast.expr = model
        for name in path:
            layer = ast.Call(ast.Attribute(layer, "get_layer"), [ast.Constant(name)], [])
        statements.append(_assign(layer, is_trained=True))
    return statements


def _trained(network: Network, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for layer in network.layers:
        here = (*path, layer.name)
        if layer.network is not None and layer.network.kind == "functional":
            yield from _trained(layer.network, here)
        elif layer.config.get("trainable", False) and not layer.is_operation:
            yield here


def _assign(value: ast.expr, *, is_trained: bool) -> ast.stmt:
    return ast.Assign([ast.Attribute(value, "trainable")], ast.Constant(is_trained))
