"""Whether setting the seed and building the model gives what a training began with."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import keras

from modelkb_callbacks import drawn_seeds
from modelkb_callbacks.drawn_seeds import LayerSeeds
from modelkb_callbacks.initial_values import have_initial_values
from modelkb_callbacks.model_arguments import ModelArguments, is_of_own_class
from modelkb_callbacks.saved_weights import has_weights
from modelkb_store.codegen.network.ordering import construction_order

_log = logging.getLogger(__name__)


def starts_from_seed(model: Any, seed: int | None, order: Sequence[str] | None) -> bool:
    """Return whether it is certain that a seed gives the model's weights and generators.

    That is so if ``keras.utils.set_random_seed`` followed by the code that makes the model draws
    just the seeds that the layers hold, and their variables are what comes of these. Nothing is
    drawn, no code of the user's runs, and nothing is raised: what is odd is not certain.

    Args:
        model: The built model, as a training is about to begin.
        seed: The seed that was set; None without one.
        order: Paths of the layers in the order in which code makes them, as in the table
            ``layers``; None if the code is a class of the user's, which stays as it is.

    Example:
        >>> keras.utils.set_random_seed(1)
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> starts_from_seed(model, 1, ["dense"])
        True
    """
    try:
        return (
            seed is not None
            and has_weights(model)
            and _has_taken_no_step(model)
            and _are_seeds_drawn(model, seed, order)
            and have_initial_values(model)
        )
    except Exception as error:  # noqa: BLE001 - layers of the user's may be anything
        _log.debug("could not tell where the weights come from", exc_info=error)
        return False


def fresh_starts_from_seed(model: Any, seed: int) -> bool:
    """Return the same of a model that has no weights yet, which cannot be loaded or trained ones.

    Args:
        model: The model, not built.
        seed: The seed that was set.
    """
    try:
        if not isinstance(model, keras.Sequential):
            return _are_seeds_of_own_class_drawn(model, seed)
        found = [drawn_seeds.seeds_of(layer) for layer in model.layers]
        known = [each for each in found if each is not None and not each.is_late]
        return len(known) == len(found) and drawn_seeds.come_first(seed, known)
    except Exception as error:  # noqa: BLE001 - layers of the user's may be anything
        _log.debug("could not tell where the weights will come from", exc_info=error)
        return False


def _has_taken_no_step(model: Any) -> bool:
    optimizer = getattr(model, "optimizer", None)
    iterations = getattr(optimizer, "iterations", None)
    return iterations is None or int(keras.ops.convert_to_numpy(iterations)) == 0


def _are_seeds_drawn(model: Any, seed: int, order: Sequence[str] | None) -> bool:
    if order is None:
        return _are_seeds_of_own_class_drawn(model, seed)
    every, found = drawn_seeds.seeds_of(model), _seeds_in_order(model, order)
    if every is None or found is None:
        return False
    is_complete = sum(len(each.seeds) for each in found) == len(every.seeds)
    return is_complete and _come_in_turn(model) and drawn_seeds.come_first(seed, found)


def _seeds_in_order(model: Any, order: Sequence[str]) -> list[LayerSeeds] | None:
    """Return the seeds of layers by their paths; None where a generator has been used."""
    layers = _by_path(model)
    found: list[LayerSeeds] = []
    for path in order:
        if path not in layers:  # an operation, which is no layer and draws nothing
            continue
        of_layer = drawn_seeds.seeds_of(layers[path])
        if of_layer is None:
            return None
        found.append(of_layer)
    return found


def _are_seeds_of_own_class_drawn(model: Any, seed: int) -> bool:
    """Return the same of a class of the user's: what it was given is made first, in our order.

    What it makes itself stays as it is, whatever the order there.
    """
    every = drawn_seeds.seeds_of(model)
    if every is None:
        return False
    given = ModelArguments.of(model).layers() if is_of_own_class(model) else []
    if not given:
        return drawn_seeds.come_first_in_any_order(seed, [every])
    found: list[LayerSeeds] = []
    for layer, config in given:
        order = construction_order(config)
        seeds = _seeds_in_order(layer, order) if order is not None else None
        if order is None:
            own = drawn_seeds.seeds_of(layer)
            seeds = None if own is None else [own]
        if seeds is None or (order is not None and not _come_in_turn(layer)):
            return False
        found += seeds
    left = Counter(every.seeds)
    left.subtract(Counter(itertools.chain.from_iterable(each.seeds for each in found)))
    if any(count < 0 for count in left.values()):
        return False
    return drawn_seeds.come_first(seed, found, list(left.elements()))


def _come_in_turn(model: Any) -> bool:
    """Return whether layers that draw when they are built come after all that are only made.

    A sequential model may have been built layer by layer, or all at once in the end.
    """
    for part in model._flatten_layers():
        if isinstance(part, keras.Sequential):
            seeds = [drawn_seeds.seeds_of(layer) for layer in part.layers]
            drawing = [each for each in seeds if each is None or each.seeds]
            if any(each is None or each.is_late for each in drawing[:-1]):
                return False
    return True


def _by_path(container: Any, prefix: str = "") -> dict[str, Any]:
    found = {}
    # Also of layers that hold layers, such as wrappers, for which Keras has no public way.
    for layer in container._flatten_layers(include_self=False, recursive=False):
        path = f"{prefix}{layer.name}"
        found[path] = layer
        found.update(_by_path(layer, f"{path}/"))
    return found
