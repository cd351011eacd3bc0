"""Layers that a layer holds in its configuration: what a wrapper wraps, the cells of an RNN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.network.network import Layer

_FORWARD = "forward_"


def inner_layers(layer: Layer) -> Iterator[Layer]:
    """Walk the layers inside a layer, each after those inside itself, as they are made.

    They have the names that they were made with: `Bidirectional` writes another one.
    """
    if layer.network is None:
        yield from _layers_in(
            {key: value for key, value in layer.config.items() if not _is_made_by(layer, key)}
        )


def unprefixed(name: str) -> str:
    """Return the name of a layer before `Bidirectional` took it for its forward layer."""
    return name.removeprefix(_FORWARD)


def is_mirrored(config: Mapping[str, Any]) -> bool:
    """Return whether the backward layer of a `Bidirectional` is what it makes by itself."""
    forward, backward = config.get("layer"), config.get("backward_layer")
    if not isinstance(forward, Mapping) or not isinstance(backward, Mapping):
        return backward is None
    mirrored = dict(forward.get("config") or {})
    mirrored["go_backwards"] = not mirrored.get("go_backwards", False)
    mirrored["name"] = f"backward_{unprefixed(str(mirrored.get('name')))}"
    return (
        forward.get("class_name") == backward.get("class_name") and mirrored == backward["config"]
    )


def _is_made_by(layer: Layer, key: str) -> bool:
    is_bidirectional = layer.class_name == "Bidirectional" and key == "backward_layer"
    return is_bidirectional and is_mirrored(layer.config)


def _layers_in(value: Any) -> Iterator[Layer]:
    if isinstance(value, list):
        for each in value:
            yield from _layers_in(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _layers_in(each)
        config = value.get("config")
        if not isinstance(config, Mapping) or "name" not in config:
            return
        if "trainable" in config or value.get("class_name") == "InputLayer":
            yield Layer(
                name=unprefixed(str(config["name"])),
                class_name=str(value.get("class_name")),
                module=value.get("module"),
                registered_name=value.get("registered_name"),
                config=config,
            )
