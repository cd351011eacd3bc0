"""Models and layers that a model of the user's own class was given, and their order."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from modelkb_store.codegen.network.auto_names import auto_number, numbers_of
from modelkb_store.codegen.network.network import Layer, Network
from modelkb_store.codegen.network.parsing import is_network, parse_model

# What is recorded of an object in place of its configuration: it is the one of another argument,
# by the path of that; it has layers of another argument, and cannot be made alone.
SAME = "__same__"
SHARES = "shares_layers_with"


def layers_in_order(given: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the layers and models among recorded arguments, in the order that code makes them.

    It is that of the numbers in the names that Keras has made up, and so that of the user's own
    code; where these do not tell, that of the arguments.

    Args:
        given: The arguments by name, as the recorder writes them.

    Returns:
        Their paths, such as ``encoder`` or ``heads.0``, and their configurations.
    """
    found = dict(_entries(given, ""))
    names = list(found)
    waits: dict[str, set[str]] = defaultdict(set)
    for before, after in _pairs({name: parse_model(entry) for name, entry in found.items()}):
        waits[after].add(before)
    ordered: list[str] = []
    while names:
        following = next((each for each in names if not waits[each] & set(names)), names[0])
        names.remove(following)
        ordered.append(following)
    return [(name, found[name]) for name in ordered]


def is_layer(value: Any) -> bool:
    """Return whether a recorded value is the configuration of a layer or a model."""
    if not isinstance(value, Mapping) or not isinstance(value.get("config"), Mapping):
        return False
    return "class_name" in value and ("trainable" in value["config"] or is_network(value))


def _entries(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if is_layer(value):
        yield path, value
    elif isinstance(value, Mapping) and "class_name" not in value:
        for key, each in value.items():
            yield from _entries(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _entries(each, f"{path}.{place}")


def _pairs(parts: Mapping[str, Network | Layer]) -> Iterator[tuple[str, str]]:
    """Walk pairs of which the first was made before the second, by the numbers in their names."""
    ranges: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for path, part in parts.items():
        numbers: dict[str, list[int]] = defaultdict(list)
        for base, number in _numbers(part):
            numbers[base].append(number)
        for base, found in numbers.items():
            ranges[base].append((min(found), max(found), path))
    for ordered in map(sorted, ranges.values()):
        for (_, last, before), (first, _, after) in itertools.pairwise(ordered):
            if last < first:
                yield before, after


def _numbers(part: Network | Layer) -> Iterator[tuple[str, int]]:
    if isinstance(part, Layer):
        yield from numbers_of(part)
        return
    own = auto_number(part.name, part.class_name)
    if own is not None:
        yield own
    for layer in part.layers:
        if not layer.is_input:  # one of a sequential model is made by its first call
            yield from numbers_of(layer)
