from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import keras
from keras import layers

from modelkb_callbacks.saved_weights import has_weights, save_weights


class Pair(keras.Model):  # type: ignore[misc]
    """A model that is never called: it only holds two others."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.own_optimizer = keras.optimizers.Adam()


class Called(Pair):
    """The same with a call."""

    def call(self, inputs: Any) -> Any:
        return self.second(self.first(inputs))


def built() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), layers.Dense(2)])


def test_a_model_that_is_never_called_has_the_weights_of_its_parts() -> None:
    assert has_weights(Pair(built(), built()))
    assert not has_weights(Pair(built(), layers.Dense(2)))
    assert not has_weights(Called(built(), built()))  # its first call builds it
    assert not has_weights(keras.Sequential([layers.Dense(2)]))


def test_they_are_saved_without_optimizers_and_it_stays_as_it_was(tmp_path: Path) -> None:
    pair = Pair(built(), built())
    path = tmp_path / "pair.weights.h5"

    save_weights(pair, path)

    assert pair.built is False
    shapes: list[tuple[int, ...]] = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: shapes.extend([item.shape] if hasattr(item, "shape") else [])
        )
    assert sorted(shapes) == [(2,), (2,), (3, 2), (3, 2)]
