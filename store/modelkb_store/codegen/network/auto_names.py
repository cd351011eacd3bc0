"""The names that Keras makes up: the class in snake case and, from the second on, a number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from modelkb_store.codegen.network.inner_layers import inner_layers
from modelkb_store.codegen.network.network import Layer, Network

_NUMBER = re.compile(r"(?P<base>.*?)(?:_(?P<number>[1-9]\d*))?", re.DOTALL)


def snake_case(class_name: str) -> str:
    """Return a class's name as Keras writes it in names: ``Conv2D`` is ``conv2d``."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_number(name: str, class_name: str) -> tuple[str, int] | None:
    """Return the base and the number of a name that Keras has made up; None of any other.

    Example:
        >>> auto_number("conv2d_3", "Conv2D")
        ('conv2d', 3)
    """
    base = snake_case(class_name)
    found = _NUMBER.fullmatch(name)
    if found is None or found["base"] != base:
        return None
    return base, int(found["number"] or 0)


def numbers_of(layer: Layer) -> Iterator[tuple[str, int]]:
    """Walk the made-up names of a layer and of all layers in it."""
    pending = [layer]
    while pending:
        each = pending.pop()
        number = auto_number(each.name, each.class_name)
        if number is not None:
            yield number
        pending += each.network.layers if each.network is not None else inner_layers(each)


def names_to_leave_out(constructed: Iterable[Layer | Network]) -> frozenset[str]:
    """Return the bases of those names that a fresh process would make up by itself.

    Args:
        constructed: All layers and networks in the order in which they are constructed.

    Returns:
        The bases, such as ``conv2d``, whose numbers are just those that Keras would count.
    """
    numbers: dict[str, list[int | None]] = defaultdict(list)
    every = (
        part
        for each in constructed
        for part in ([*inner_layers(each), each] if isinstance(each, Layer) else [each])
    )
    for each in every:
        number = auto_number(each.name, each.class_name)
        if number is not None:
            numbers[number[0]].append(number[1])
        if _is_sequential_with_input(each):
            numbers["functional"].append(None)  # the functional model that it makes of itself
    return frozenset(base for base, found in numbers.items() if _counts_up(found))


def _counts_up(numbers: list[int | None]) -> bool:
    return all(number in (None, place) for place, number in enumerate(numbers))


def _is_sequential_with_input(each: Layer | Network) -> bool:
    if isinstance(each, Network):
        return each.kind == "sequential" and each.layers[:1] != () and each.layers[0].is_input
    # One inside a layer, such as a wrapper, which stands there as it was serialized.
    layers = each.config.get("layers") if each.class_name == "Sequential" else None
    return bool(layers) and isinstance(layers, list) and layers[0]["class_name"] == "InputLayer"
