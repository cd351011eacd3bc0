"""Whether setting the seed and building the model gives what a training began with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import keras

from modelkb_callbacks import drawn_seeds
from modelkb_callbacks.drawn_seeds import LayerSeeds
from modelkb_callbacks.initial_values import have_initial_values

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
            and model.built
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
            every = drawn_seeds.seeds_of(model)
            return every is not None and drawn_seeds.come_first_in_any_order(seed, [every])
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
    every = drawn_seeds.seeds_of(model)
    if every is None:
        return False
    if order is None:
        return drawn_seeds.come_first_in_any_order(seed, [every])
    layers = _by_path(model)
    found: list[LayerSeeds] = []
    for path in order:
        if path not in layers:  # an operation, which is no layer and draws nothing
            continue
        of_layer = drawn_seeds.seeds_of(layers[path])
        if of_layer is None:
            return False
        found.append(of_layer)
    is_complete = sum(len(each.seeds) for each in found) == len(every.seeds)
    return is_complete and _come_in_turn(model) and drawn_seeds.come_first(seed, found)


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
