"""The states of the random generators, read without a draw."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from modelkb_callbacks.frameworks import Framework
from modelkb_callbacks.rows import to_numpy
from modelkb_store.ids import canonical_json


@dataclass(frozen=True, slots=True)
class RandomState:
    """The state of one generator.

    Attributes:
        generator: ``python``, ``numpy``, a backend's such as ``tensorflow.seed``,
            ``keras:global``, or ``keras:layer:`` and the path of the layer that it belongs to
            (nothing for the model itself), with ``:1``, ``:2`` behind it for a layer's second
            and third one.
        state: JSON of what the library hands out and takes back.
    """

    generator: str
    state: str


def random_states(
    model: Any, framework: Framework, earlier: Sequence[RandomState] = ()
) -> list[RandomState]:
    """Return the state of every random generator that a training may draw from.

    They are ``random``'s, NumPy's global one, the backend's, Keras' global one if it is there
    yet, and those of the model's layers. Generators of the user's own, and the states of
    ``tf.data`` pipelines, cannot be seen.

    Args:
        model: The Keras model, built or not.
        framework: The backend.
        earlier: What :func:`states_of_process` gave a moment ago, to be taken for those.
    """
    every = list(earlier) or states_of_process(framework)
    found = _layer_states(model)
    return [*every, *(RandomState(generator, state) for generator, state in found.items())]


def states_of_process(framework: Framework) -> list[RandomState]:
    """Return the states of the generators that belong to no model."""
    found = {
        "python": canonical_json(random.getstate()),
        "numpy": canonical_json(_plain(np.random.get_state(legacy=False))),
        **framework.random_states(),
        **_global_state(),
    }
    return [RandomState(generator, state) for generator, state in found.items()]


def _global_state() -> dict[str, str]:
    # Keras makes it when it is first drawn from, with a draw from `random`.
    global_state = sys.modules.get("keras.src.backend.common.global_state")
    if global_state is not None:
        generator = global_state.get_global_attribute("global_seed_generator")
        if generator is not None:
            return {"keras:global": _seed_and_counter(generator)}
    return {}


def _layer_states(model: Any) -> dict[str, str]:
    found = {}
    for path, generators in _layers_with_generators(model):
        for number, generator in enumerate(generators):
            name = f"keras:layer:{path}"
            found[f"{name}:{number}" if number else name] = _seed_and_counter(generator)
    return found


def _layers_with_generators(model: Any) -> Iterator[tuple[str, list[Any]]]:
    """Walk the layers with their paths as in the table ``layers``, the model itself first."""
    seen: set[int] = set()
    pending = [(model, "")]
    while pending:
        layer, path = pending.pop(0)
        if id(layer) in seen:  # shared by several
            continue
        seen.add(id(layer))
        # There is no public way to a layer's own generators, nor to the layers inside.
        own = getattr(layer, "_seed_generators", ())
        generators = [g for g in own if isinstance(g, keras.random.SeedGenerator)]
        if generators:
            yield path, generators
        prefix = f"{path}/" if path else ""
        inner = layer._flatten_layers(include_self=False, recursive=False)
        pending += [(item, f"{prefix}{item.name}") for item in inner]


def _seed_and_counter(generator: Any) -> str:
    return canonical_json([int(number) for number in to_numpy(generator.state)])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
