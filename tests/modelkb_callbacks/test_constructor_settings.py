"""What objects were made with."""

from __future__ import annotations

from typing import Any

import keras

from modelkb_callbacks.constructor_settings import constructor_defaults, constructor_settings


class Base:
    def __init__(self, first: int, second: str = "b") -> None:
        self.first = first
        self._second = second


class Derived(Base):
    def __init__(self, third: float, **others: Any) -> None:
        super().__init__(**others)
        self.third = third


def test_what_is_passed_on() -> None:
    assert constructor_settings(Derived(0.5, first=1)) == {"third": 0.5, "first": 1, "second": "b"}


def test_defaults() -> None:
    assert constructor_defaults(Derived)["second"] == "b"


def test_without_a_constructor() -> None:
    assert constructor_settings(object()) == {}
    assert constructor_settings(3) == {}


def test_callbacks_of_keras() -> None:
    reduce = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_lr=1e-5)
    found = constructor_settings(reduce)
    assert (found["factor"], found["patience"], found["min_lr"]) == (0.5, 2, 1e-5)
    checkpoint = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    assert constructor_settings(checkpoint)["filepath"] == "best.keras"
