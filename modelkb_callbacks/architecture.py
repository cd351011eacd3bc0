"""A model's architecture: its configuration, its layer table, and an id by content."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import keras

from modelkb_callbacks.compile_settings import metrics_of_earlier_compile, optimizer_settings
from modelkb_callbacks.constructor_settings import constructor_settings
from modelkb_callbacks.credentials import redacted
from modelkb_callbacks.policy_names import with_policy_names
from modelkb_callbacks.snake_case import snake_case
from modelkb_callbacks.vocabularies import with_vocabularies
from modelkb_store.architecture_file import Architecture
from modelkb_store.ids import canonical_json, content_id
from modelkb_store.records import ExperimentRecord, LayerRecord, ModelRecord
from modelkb_store.shortest_float import shortest_float

# Names that Keras makes up: the class in snake case and, from the second on, a number.
_NUMBERED = re.compile(r"(?P<base>.*?)(?:_(?P<number>\d+))?")


@dataclass(frozen=True)
class ArchitectureDescription:
    """What is stored of an architecture.

    Attributes:
        architecture: The content of its file.
        layers: Its layer table.
        kind: ``sequential``, ``functional`` or ``subclass``.
        compile_config: How the model was compiled, as JSON text; None if unknown.
        problem: What could not be described, if anything.
    """

    architecture: Architecture
    layers: list[LayerRecord]
    kind: str
    compile_config: str | None
    problem: str | None = None


def describe_architecture(model: Any) -> ArchitectureDescription:
    """Describe a built model.

    The id is of the configuration with the names that Keras makes up renumbered from 0, so
    that a model built twice in one process is one architecture. The code of a subclass is
    not in its configuration, so there the layer table counts, too.
    """
    serialized, problem = model_config(model)
    compile_config = _serialize_compilation(model)
    layers = list(_layer_rows(model, (serialized or {}).get("config") or {}, ""))
    kind = _kind(serialized)
    if serialized is not None:
        serialized, left_out = with_vocabularies(model, serialized)
        problem = "; ".join(filter(None, [problem, *left_out])) or None
    identity = {
        "config": serialized,
        "layers": [_identity_of(row) for row in layers] if kind == "subclass" else None,
    }
    architecture_id = content_id(_renamed(identity, _canonical_names(model)))
    return ArchitectureDescription(
        architecture=Architecture(
            architecture_id=architecture_id,
            model_config=with_policy_names(serialized),
            training_config=None,  # of one run of many; each has its own in its row of models
            keras_version=keras.__version__,
            backend=keras.backend.backend(),
        ),
        layers=[dataclasses.replace(row, architecture_id=architecture_id) for row in layers],
        kind=kind,
        compile_config=None if compile_config is None else canonical_json(compile_config),
        problem=problem,
    )


def describe_model(
    model: Any, description: ArchitectureDescription, experiment: ExperimentRecord, path: str
) -> ModelRecord:
    """Return the model of a run: its architecture as compiled, on its data, by its code."""
    identity = [
        description.architecture.architecture_id,
        _without_optimizer_name(description.compile_config),
        experiment.dataset_id,
        experiment.implementation_id,
    ]
    return ModelRecord(
        model_id=content_id(identity),
        architecture_id=description.architecture.architecture_id,
        created_at=datetime.now(timezone.utc),
        name=model.name,
        class_name=type(model).__name__,
        kind=description.kind,
        layer_count=len(description.layers),
        parameter_count=_parameter_count(model.weights),
        trainable_parameter_count=_parameter_count(model.trainable_weights),
        compile_config=description.compile_config,
        dataset_id=experiment.dataset_id,
        implementation_id=experiment.implementation_id,
        architecture_path=path,
    )


def model_config(model: Any) -> tuple[dict[str, Any] | None, str | None]:
    """Return Keras' configuration of a model, not of how it is compiled, or what is wrong."""
    attributes = vars(model)
    # Keras would put the compile configuration in, and fail with it.
    attributes["get_compile_config"] = dict
    try:
        serialized = json.loads(model.to_json())
    except Exception as error:  # noqa: BLE001 - a get_config of the user's may raise anything
        lines = str(error).strip().splitlines() or [repr(error)]
        return None, (
            f"could only keep a layer table of {type(model).__name__}, as Keras cannot "
            f"serialize it ({lines[0].rstrip('.: ')}); a get_config() that works lets it be rebuilt"
        )
    finally:
        del attributes["get_compile_config"]
    serialized.pop("compile_config", None)
    kept = redacted(serialized, of_model=True)
    if kept != serialized:
        return kept, (
            "left out a text of the model's configuration that looks like a credential, so the "
            "model may not load again"
        )
    return serialized, None


def _serialize_compilation(model: Any) -> dict[str, Any] | None:
    try:
        # Through JSON and back, as a reader will have it.
        config = json.loads(json.dumps(model.get_compile_config()))
    except Exception:  # noqa: BLE001 - a loss or schedule of the user's may raise anything
        config = _serialize_each_argument(model)
    if not isinstance(config, dict) or not config:
        return None
    config |= {name: _serialized(each) for name, each in metrics_of_earlier_compile(model).items()}
    _shorten_learning_rate(config.get("optimizer"))
    kept: dict[str, Any] = redacted(config, of_model=True)
    return kept


def _serialize_each_argument(model: Any) -> dict[str, Any] | None:
    """Serialize how a model was compiled where Keras fails, for an object without a `get_config`.

    That object is described by its class and what it was made with.
    """
    arguments = getattr(getattr(model, "_compile_config", None), "config", None) or {}
    try:
        return {name: _serialized(value) for name, value in arguments.items()}
    except Exception:  # noqa: BLE001 - not even that
        return None


def _serialized(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_serialized(each) for each in value]
    if isinstance(value, dict):
        return {name: _serialized(each) for name, each in value.items()}
    try:
        return json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
    except Exception:  # noqa: BLE001 - of the user's
        is_optimizer = isinstance(value, keras.optimizers.Optimizer)
        kind = type(value)
        return {
            "module": "keras.optimizers" if is_optimizer else None,
            "class_name": kind.__name__,
            "config": optimizer_settings(value) if is_optimizer else constructor_settings(value),
            "registered_name": None if is_optimizer else kind.__name__,
        }


def _shorten_learning_rate(optimizer: Any) -> None:
    """Write a learning rate, which Keras keeps in float32, as its shortest decimal number."""
    settings = optimizer.get("config") if isinstance(optimizer, dict) else None
    if isinstance(settings, dict):
        rate = settings.get("learning_rate")
        if isinstance(rate, float):
            settings["learning_rate"] = shortest_float(rate)
        _shorten_learning_rate(settings.get("inner_optimizer"))


def _kind(serialized: dict[str, Any] | None) -> str:
    config = (serialized or {}).get("config") or {}
    if "layers" not in config:
        return "subclass"
    return "functional" if "input_layers" in config else "sequential"


def _identity_of(row: LayerRecord) -> dict[str, Any]:
    return {
        "class_name": row.class_name,
        "name": row.name,
        "output_shape": row.output_shape,
        "parameter_count": row.parameter_count,
        "config": json.loads(row.config or "null"),
    }


def _without_optimizer_name(compile_config: str | None) -> Any:
    """Drop the name that Keras numbers for each optimizer that a process makes."""
    config = json.loads(compile_config or "null")
    optimizer = (config or {}).get("optimizer")
    if isinstance(optimizer, dict) and isinstance(optimizer.get("config"), dict):
        optimizer["config"].pop("name", None)
    return config


def _layer_rows(
    container: Any, config: dict[str, Any], prefix: str, position: int = 0
) -> Iterator[LayerRecord]:
    entries = {entry["config"].get("name"): entry for entry in _entries(config)}
    inbound = _inbound(config)
    for layer in _children(container):
        path = f"{prefix}{layer.name}"
        own_config = (entries.get(layer.name) or {}).get("config")
        children = list(
            _layer_rows(layer, own_config or {}, f"{path}/", position + 1)
            if _children(layer)
            else ()
        )
        yield LayerRecord(
            architecture_id="",
            position=position,
            path=path,
            name=layer.name,
            class_name=type(layer).__name__,
            inbound=tuple(inbound.get(layer.name, ())),
            output_shape=_output_shape(layer),
            dtype=getattr(getattr(layer, "dtype_policy", None), "name", None),
            trainable=bool(layer.trainable),
            parameter_count=_parameter_count(layer.weights),
            trainable_parameter_count=_parameter_count(layer.trainable_weights),
            config=None if "layers" in (own_config or {}) else _config_text(layer, own_config),
        )
        yield from children
        position += 1 + len(children)


def _children(layer: Any) -> list[Any]:
    # Also of layers that hold layers, such as wrappers, for which Keras has no public way.
    flatten = getattr(layer, "_flatten_layers", None)
    return list(flatten(include_self=False, recursive=False)) if flatten else []


def _entries(config: dict[str, Any]) -> list[dict[str, Any]]:
    entries = config.get("layers")
    if not isinstance(entries, list):
        return []
    return [e for e in entries if isinstance(e, dict) and isinstance(e.get("config"), dict)]


def _inbound(config: dict[str, Any]) -> dict[str, list[str]]:
    """Return for each layer of a configuration the layers that it takes its inputs from."""
    entries = _entries(config)
    names = [entry["config"].get("name") for entry in entries]
    if "input_layers" not in config:  # sequential
        return {name: [before] for before, name in itertools.pairwise(names)}
    return {
        name: list(dict.fromkeys(_tensor_sources(entry.get("inbound_nodes"))))
        for name, entry in zip(names, entries, strict=True)
    }


def _tensor_sources(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "keras_history" in node:
            yield str(node["keras_history"][0])
        for value in node.values():
            yield from _tensor_sources(value)
    elif isinstance(node, list):
        for value in node:
            yield from _tensor_sources(value)


def _output_shape(layer: Any) -> str | None:
    try:
        shapes = keras.tree.map_structure(lambda tensor: list(tensor.shape), layer.output)
    except (AttributeError, ValueError, RuntimeError):
        return None  # never called symbolically, or in several places
    return json.dumps(shapes)


def _config_text(layer: Any, config: dict[str, Any] | None) -> str | None:
    try:
        return canonical_json(
            redacted(layer.get_config() if config is None else config, of_model=True)
        )
    except Exception:  # noqa: BLE001 - a layer of the user's that cannot say
        return None


def _parameter_count(variables: list[Any]) -> int:
    total = 0
    for variable in variables:
        size = 1
        for extent in variable.shape:
            size *= int(extent)
        total += size
    return total


def _canonical_names(model: Any) -> dict[str, str]:
    """Map the names that Keras made up to what they would be in a fresh process."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for layer in model._flatten_layers():
        found = _NUMBERED.fullmatch(layer.name)
        if found and found["base"] == snake_case(type(layer).__name__):
            numbers[found["base"]].add(int(found["number"] or 0))
    return {
        _numbered(base, number): _numbered(base, rank)
        for base, used in numbers.items()
        for rank, number in enumerate(sorted(used))
    }


def _numbered(base: str, number: int) -> str:
    return f"{base}_{number}" if number else base


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
