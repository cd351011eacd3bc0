"""Which seeds Keras drew for the layers of a model, and whether one seed gives them again.

Keras draws the seed of every random initializer and seed generator that is given none from
``random``, when it is made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from modelkb_callbacks.rows import to_numpy

_LOWEST, _HIGHEST = 1, 10**9  # as in Keras' make_default_seed
_MOST_ITEMS = 100  # an attribute that holds more is data


@dataclass(frozen=True, slots=True)
class LayerSeeds:
    """What was drawn for one layer and all that it holds.

    Attributes:
        seeds: The seeds that it has still.
        dropped: How many were drawn before these for a layer that was only copied.
        is_late: Whether some may have been drawn when the layer was built, not made.
    """

    seeds: tuple[int, ...]
    dropped: int
    is_late: bool


def seeds_of(layer: Any) -> LayerSeeds | None:
    """Return the seeds of a layer; None where one of its generators has been used."""
    seeds: list[int] = []
    dropped, is_late = 0, False
    for part in layer._flatten_layers():
        own = _own_seeds(part)
        if own is None:
            return None
        seeds += own
        if isinstance(part, keras.layers.Bidirectional):
            copied = seeds_of(part.forward_layer)
            dropped += len(copied.seeds) if copied else 0
        is_late = is_late or not type(part).__module__.startswith("keras.")
    return LayerSeeds(tuple(seeds), dropped, is_late and bool(seeds))


def come_first(seed: int, layers: Sequence[LayerSeeds], others: Sequence[int] = ()) -> bool:
    """Return whether the layers' seeds are the first draws after a seed, layer by layer.

    Args:
        seed: What was given to ``keras.utils.set_random_seed``.
        layers: The layers in the order in which they are made.
        others: Seeds that are to follow them, in any order and without any between.
    """
    source = random.Random(seed)  # noqa: S311 - as Keras does
    for layer in layers:
        for _ in range(layer.dropped):
            source.randint(_LOWEST, _HIGHEST)
        drawn = [source.randint(_LOWEST, _HIGHEST) for _ in layer.seeds]
        if sorted(drawn) != sorted(layer.seeds):
            return False
    following = [source.randint(_LOWEST, _HIGHEST) for _ in others]
    return sorted(following) == sorted(others)


def come_first_in_any_order(seed: int, layers: Sequence[LayerSeeds]) -> bool:
    """Return whether the layers' seeds are among the first draws, and no other ones are there."""
    source = random.Random(seed)  # noqa: S311 - as Keras does
    held = [each for layer in layers for each in layer.seeds]
    count = len(held) + sum(layer.dropped for layer in layers)
    drawn = {source.randint(_LOWEST, _HIGHEST) for _ in range(count)}
    return len(set(held)) == len(held) and set(held) <= drawn


def _own_seeds(layer: Any) -> list[int] | None:
    # There is no public way to a layer's own generators.
    found = []
    for generator in getattr(layer, "_seed_generators", ()):
        first, drawn = (int(number) for number in to_numpy(generator.state))
        if drawn:
            return None
        if generator._initial_seed is None:
            found.append(first)
    found += [item.seed for item in _initializers(vars(layer)) if item._init_seed is None]
    return found


def _initializers(value: Any) -> Iterator[Any]:
    if isinstance(value, keras.initializers.Initializer):
        if hasattr(value, "_init_seed"):
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _inner(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _inner(item)


def _inner(value: Any) -> Iterator[Any]:
    is_large = isinstance(value, (dict, list, tuple)) and len(value) > _MOST_ITEMS
    if not is_large and not isinstance(value, keras.layers.Layer):
        yield from _initializers(value)
