"""Models of `keras.applications`, as the one call that makes them.

Whether a model is exactly that is found out by making one, for which Keras is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.keras.settings import policy_name
from modelkb_store.codegen.network.auto_names import auto_number
from modelkb_store.codegen.network.network import Network
from modelkb_store.errors import MissingPackageError

_LEFT_OUT = frozenset(
    ("build_config", "compile_config", "module", "registered_name", "shape", "trainable")
)
_POOLINGS = {"GlobalAveragePooling2D": "avg", "GlobalMaxPooling2D": "max"}


def application_arguments(network: Network) -> tuple[str, dict[str, Any]] | None:
    """Return the application that a model is, with its arguments; None if it is none.

    Args:
        network: A functional model.

    Raises:
        MissingPackageError: Keras is not installed.

    Example:
        >>> application_arguments(network)
        ('ResNet50', {'weights': None, 'classes': 10})
    """
    try:
        # Inside the function: only this asks Keras, and only when it is asked for.
        import keras
    except ImportError as error:
        raise MissingPackageError(
            "Keras with a backend", "Finding applications", "pip install 'modelkb[tensorflow]'"
        ) from error
    wanted = _canonical(network.source)
    for name in _candidates(network, dir(keras.applications)):
        for arguments in _possible_arguments(network):
            try:
                made = getattr(keras.applications, name)(**arguments)
            # Keras raises many kinds for arguments that do not go together.
            except Exception:  # noqa: BLE001, S112
                continue
            if made.name != network.name:
                continue
            if _canonical(json.loads(made.to_json())["config"]) == wanted:
                return name, arguments
    return None


def _candidates(network: Network, names: list[str]) -> Iterator[str]:
    """Walk the applications that a model's name may come from, the longest name first."""
    plain = _plain(network.name)
    functions = [name for name in names if name[0].isupper()]
    for name in sorted(functions, key=lambda each: (-len(each), each)):
        family = _plain(re.sub(r"(Mobile|Large|Small)$", "", name))
        if plain.startswith((_plain(name), family)):
            yield name


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _possible_arguments(network: Network) -> Iterator[dict[str, Any]]:
    """Walk the arguments that may have made a model, those with the fewest first."""
    first, last = network.layers[0], network.layers[-1]
    shape = first.config.get("batch_shape") or first.config.get("batch_input_shape") or []
    places: list[dict[str, Any]] = [{}, {"input_shape": tuple(shape[1:])}]
    for named in ({}, {"name": network.name}):
        for place in places:
            for top in _possible_tops(network, last.class_name):
                yield {"weights": None, **place, **top, **named}


def _possible_tops(network: Network, last: str) -> Iterator[dict[str, Any]]:
    if last in _POOLINGS:
        yield {"include_top": False, "pooling": _POOLINGS[last]}
        return
    yield {}
    yield {"include_top": False}
    counts = [each.config.get("units") or each.config.get("filters") for each in network.layers]
    classes = next((count for count in reversed(counts) if count is not None), 1000)
    yield {"classes": classes}
    yield {"classes": classes, "classifier_activation": None}


def _canonical(config: Mapping[str, Any]) -> str:
    """Return a configuration with the names that Keras makes up counted from 0."""
    renamed: dict[str, str] = {}
    counts: dict[str, int] = {}
    for entry in config["layers"]:
        number = auto_number(str(entry["config"].get("name")), str(entry["class_name"]))
        if number is not None:
            base = number[0]
            renamed[entry["config"]["name"]] = f"{base}_{counts.setdefault(base, 0)}"
            counts[base] += 1
    return json.dumps(_renamed(_bare(config), renamed), sort_keys=True)


def _bare(value: Any) -> Any:
    """Return a configuration without what depends on how it was saved, or who freezes it."""
    if isinstance(value, Mapping):
        return {
            key: (key == "dtype" and policy_name(item)) or _bare(item)
            for key, item in value.items()
            if key not in _LEFT_OUT
        }
    if isinstance(value, (list, tuple)):
        return [_bare(item) for item in value]
    return value


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
