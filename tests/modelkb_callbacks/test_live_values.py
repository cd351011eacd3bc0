from __future__ import annotations

import argparse
import dataclasses
import sys
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from modelkb_callbacks.live_values import live_values

MODULE_LEVEL = 5
SHADOWED = 1


@dataclasses.dataclass
class Configuration:
    """What a run is configured with."""

    units: int = 8
    activation: str = "relu"


class Pair(NamedTuple):
    """A configuration, too."""

    depth: int
    width: int


class Constants:
    """Class attributes as a configuration."""

    RATE = 0.5


def values(*names: str) -> dict[str, Any]:
    return live_values([sys._getframe(1)], names)


def test_variables_and_globals() -> None:
    SHADOWED = 2
    shape = (28, 28, 1)

    assert values("MODULE_LEVEL", "SHADOWED", "shape", "nowhere") == {
        "MODULE_LEVEL": 5,
        "SHADOWED": SHADOWED,
        "shape": list(shape),
    }


def test_configurations() -> None:
    args = argparse.Namespace(epochs=3)
    plain = SimpleNamespace(patience=4)
    data = Configuration(units=16)
    pair = Pair(1, 2)
    table = {"dropout": 0.25}
    constants = Constants

    found = values("epochs", "patience", "config.units", "width", "dropout", "RATE")

    assert all((args, plain, data, pair, table, constants))
    assert found == {
        "epochs": 3,
        "patience": 4,
        "config.units": 16,
        "width": 2,
        "dropout": 0.25,
        "RATE": 0.5,
    }


def test_a_variable_wins_over_a_configuration() -> None:
    args = argparse.Namespace(epochs=3)
    epochs = 7

    assert args
    assert values("epochs") == {"epochs": epochs}


def test_what_is_not_plain_is_left_out() -> None:
    array, nested, function = np.ones(3), [[object()]], values

    assert array is not None
    assert nested
    assert function
    assert values("array", "nested", "function") == {}


class Strange:
    """An object that must not be asked for anything."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    __hash__ = None  # type: ignore[assignment]


def test_nothing_of_the_users_is_run() -> None:
    units = Strange()

    assert isinstance(units, Strange)
    assert values("units", "depth_of_it") == {}
