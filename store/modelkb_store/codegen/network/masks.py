"""Masks that Keras passes on by itself, which a configuration spells out as operations.

`Embedding(mask_zero=True)` and `Masking` make a mask with operations of `keras.ops`, and every
layer after them that takes a mask is given it. Code says none of this.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.network.network import Call, Layer, Network, TensorRef, tensors_in


def without_implicit_masks(network: Network) -> Network:
    """Return a functional network without the masks that Keras makes and passes on by itself.

    Args:
        network: The network as its configuration says it.
    """
    implicit = _implicit_operations(network)
    layers = [layer for layer in network.layers if layer.name not in implicit]
    return dataclasses.replace(
        network,
        layers=tuple(
            dataclasses.replace(
                layer, calls=tuple(_without_masks(call, implicit) for call in layer.calls)
            )
            for layer in layers
        ),
    )


def _implicit_operations(network: Network) -> set[str]:
    """Return the names of operations that only make masks, out of what begins one."""
    operations = {layer.name: layer for layer in network.layers if layer.is_operation}
    users = _users(network)
    for_masks = {
        name for name in operations if all(_is_mask_use(use, operations) for use in users[name])
    }
    for_masks -= {ref.layer for ref in tensors_in(network.outputs)}
    for_masks = _without_those_used_otherwise(for_masks, users, operations)
    begun = _begun_masks(network)
    found: set[str] = set()
    # With one that begins a mask goes all that it is joined to: zeros that others get, too.
    pending = [name for name in for_masks if _begins(operations[name], begun)]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        joined = {user for user, _ in users[name]}
        joined |= {ref.layer for call in operations[name].calls for ref in call.tensors()}
        pending += joined & for_masks
    return found


def _without_those_used_otherwise(
    found: set[str], users: Mapping[str, list[tuple[str, str]]], operations: Mapping[str, Layer]
) -> set[str]:
    """Drop an operation that another one uses which is no mask, and so on backwards."""
    shrunk = True
    while shrunk:
        shrunk = False
        for name in sorted(found):
            if any(user in operations and user not in found for user, _ in users[name]):
                found.discard(name)
                shrunk = True
    return found


def _users(network: Network) -> dict[str, list[tuple[str, str]]]:
    """Return for each layer who uses its tensors, and as which argument."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for layer in network.layers:
        for call in layer.calls:
            for ref in tensors_in(call.args):
                users[ref.layer].append((layer.name, ""))
            for argument, value in (call.kwargs or {}).items():
                for ref in tensors_in(value):
                    users[ref.layer].append((layer.name, argument))
    return users


def _is_mask_use(use: tuple[str, str], operations: Mapping[str, Layer]) -> bool:
    user, argument = use
    return user in operations or _is_mask_argument(argument)


def _is_mask_argument(name: str) -> bool:
    return name == "mask" or name.endswith("_mask")


def _begun_masks(network: Network) -> set[tuple[TensorRef, float]]:
    """Return the tensors that masks are made of, and the value that is masked."""
    begun: set[tuple[TensorRef, float]] = set()
    for layer in network.layers:
        value: Any = None
        if layer.class_name == "Embedding" and layer.config.get("mask_zero"):
            value = 0
        elif layer.class_name == "Masking":
            value = layer.config.get("mask_value")
        if isinstance(value, (int, float)):
            begun |= {(ref, float(value)) for call in layer.calls for ref in call.tensors()}
    return begun


def _begins(operation: Layer, roots: set[tuple[TensorRef, float]]) -> bool:
    if operation.class_name != "NotEqual" or len(operation.calls) != 1:
        return False
    args = operation.calls[0].args
    if len(args) != 2 or not isinstance(args[0], TensorRef):
        return False
    return isinstance(args[1], (int, float)) and (args[0], float(args[1])) in roots


def _without_masks(call: Call, implicit: set[str]) -> Call:
    kwargs = {
        name: value
        for name, value in (call.kwargs or {}).items()
        if not (_is_mask_argument(name) and _is_implicit(value, implicit))
    }
    return dataclasses.replace(call, kwargs=kwargs)


def _is_implicit(value: Any, implicit: set[str]) -> bool:
    """Return whether a mask is none, or one that Keras passes by itself."""
    if value is None:
        return True
    if isinstance(value, (list, tuple)):
        return all(_is_implicit(each, implicit) for each in value)
    return isinstance(value, TensorRef) and value.layer in implicit
