"""Reading a model's configuration, of whatever version of Keras."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelkb_store.codegen.network.network import Call, Layer, Network, TensorRef
from modelkb_store.errors import CodeGenerationError

# A functional model begins its life with a call on its own inputs, which is not counted here.
_CALLS_OF_ITS_OWN = 1
_PIPELINE = "Pipeline"  # a layer that holds layers, and no model
# What a sequential model says of itself. A layer of the user's that holds others says more.
_SEQUENTIAL_SETTINGS = {"build_input_shape", "dtype", "layers", "name", "trainable"}


def parse_model(config: Mapping[str, Any]) -> Network | Layer:
    """Read the configuration of a model.

    Args:
        config: A model as Keras serializes it: ``class_name``, ``config`` and, since Keras 3,
            ``module``.

    Returns:
        Its network; of a model that is a class of the user's own, a single layer.

    Raises:
        CodeGenerationError: It is no configuration of a model.

    Example:
        >>> parse_model(json.loads(model.to_json())).kind
        'functional'
    """
    try:
        layer = _layer(config, {})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise CodeGenerationError(
            "the model",
            f"its configuration is not one that Keras writes ({error!r})",
            "save it again with model.save(path) or model.to_json()",
        ) from error
    return layer.network or layer


def _layer(entry: Mapping[str, Any], node_offsets: Mapping[str, int]) -> Layer:
    config = entry["config"]
    if isinstance(config, list):  # the layers alone, as of an early Sequential
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, Mapping):
        raise TypeError(f"a layer's configuration is {type(config).__name__}")
    name = str(entry.get("name") or config.get("name") or entry["class_name"])
    layer = Layer(
        name=name,
        class_name=str(entry["class_name"]),
        module=entry.get("module"),
        registered_name=entry.get("registered_name"),
        config=config,
        build_config=entry.get("build_config"),
        calls=tuple(_call(node, node_offsets) for node in entry.get("inbound_nodes") or ()),
    )
    return dataclasses.replace(layer, network=_network(layer)) if is_network(entry) else layer


def is_network(entry: Mapping[str, Any]) -> bool:
    """Return whether an object is a model, by its configuration."""
    config = entry["config"]
    if entry["class_name"] == _PIPELINE or not _has_layers(config):
        return False
    return "input_layers" in config or _SEQUENTIAL_SETTINGS.issuperset(config)


def _has_layers(config: Any) -> bool:
    if not isinstance(config, Mapping):
        return False
    layers = config.get("layers")
    return isinstance(layers, list) and all(
        isinstance(each, Mapping) and "class_name" in each for each in layers
    )


def _network(layer: Layer) -> Network:
    config = layer.config
    is_functional = "input_layers" in config
    entries = config["layers"]
    offsets = {_name(each): _CALLS_OF_ITS_OWN for each in entries if _begins_called(each)}
    parts = ("layers", "input_layers", "output_layers", "name")
    return Network(
        name=layer.name,
        class_name=layer.class_name,
        kind="functional" if is_functional else "sequential",
        layers=tuple(_layer(each, offsets) for each in entries),
        inputs=_tensors(config["input_layers"], offsets) if is_functional else None,
        outputs=_tensors(config["output_layers"], offsets) if is_functional else None,
        config={key: value for key, value in config.items() if key not in parts},
        module=layer.module,
        registered_name=layer.registered_name,
        source=config,
    )


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["config"]["name"])


def _begins_called(entry: Mapping[str, Any]) -> bool:
    config = entry["config"]
    if not _has_layers(config) or "input_layers" in config or not config["layers"]:
        return isinstance(config, Mapping) and "input_layers" in config
    # In Keras 2 a sequential model with an input was a functional one, too.
    nodes = entry.get("inbound_nodes") or []
    is_old = bool(nodes) and not isinstance(nodes[0], Mapping)
    return is_old and config["layers"][0]["class_name"] == "InputLayer"


def _call(node: Any, offsets: Mapping[str, int]) -> Call:
    if isinstance(node, Mapping):  # where calls are counted without that one
        return Call(tuple(_values(node.get("args") or [])), _values(node.get("kwargs") or {}))
    # Keras 2: for each tensor its layer, call, output and the arguments of the call.
    inputs: list[Any] = node if isinstance(node[0], list) else [node]
    tensors = [_tensor(each[:3], offsets) for each in inputs]
    kwargs = dict(inputs[0][3] or {}) if len(inputs[0]) > 3 else {}
    return Call((tensors[0] if len(tensors) == 1 else tensors,), _old_values(kwargs, offsets))


def _values(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return _tensor(value["config"]["keras_history"], {})
        return {key: _values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_values(item) for item in value]
    return value


def _old_values(kwargs: Mapping[str, Any], offsets: Mapping[str, int]) -> dict[str, Any]:
    """Read the arguments of a call in a file of Keras 2, where tensors are lists."""
    return {
        name: _tensor(value, offsets) if _is_history(value) else value
        for name, value in kwargs.items()
    }


def _is_history(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and all(isinstance(number, int) for number in value[1:])
    )


def _tensors(value: Any, offsets: Mapping[str, int]) -> Any:
    """Read the structure of a network's inputs or outputs."""
    if _is_history(value):
        return _tensor(value, offsets)
    if isinstance(value, Mapping):
        return {key: _tensors(item, offsets) for key, item in value.items()}
    return [_tensors(item, offsets) for item in value]


def _tensor(history: Any, offsets: Mapping[str, int]) -> TensorRef:
    name, call, output = history
    return TensorRef(str(name), int(call) - offsets.get(name, 0), int(output))
