"""Any value becomes JSON of bounded size, and nobody's code is run for it."""

from __future__ import annotations

import enum
import functools
import json
import math
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st

from modelkb_callbacks.plain_values import plain
from modelkb_store.shortest_float import shortest_float


class Hostile:
    shape = property(lambda self: 1 / 0)

    def __repr__(self) -> str:
        raise AssertionError

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


class HostileList(list[Any]):
    def __iter__(self) -> Any:
        raise AssertionError


class Colour(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        ({1: (2, {3})}, {"1": [2, [3]]}),
        ({np.int64(1): 2}, {"1": 2}),
        (OrderedDict(a=1), {"a": 1}),
        (np.eye(2, dtype=int), [[1, 0], [0, 1]]),
        (np.zeros((100, 100)), {"shape": [100, 100], "dtype": "float64"}),
        (tf.zeros((3, 4)), {"shape": [3, 4], "dtype": "float32"}),
        (functools.partial(math.hypot, 1), "hypot"),
        (Colour.RED, "red"),
        (int, "int"),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_nobodys_code_is_run() -> None:
    assert plain(Hostile()) == "Hostile"
    assert plain([HostileList([1])]) == ["HostileList"]


def test_what_holds_itself() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    assert json.dumps(plain(value)).count("self") <= 21


def test_many_items_nested() -> None:
    text = json.dumps(plain([[list(range(100))] * 100] * 100))
    assert len(text) < 30_000
    assert "more" in text


@given(st.recursive(st.none() | st.floats() | st.text() | st.integers(), st.lists))
def test_any_value_is_json(value: Any) -> None:
    json.dumps(plain(value), allow_nan=False)


@given(st.floats(width=32, allow_nan=False))
@example(999999995904.0)
def test_shortest_float_is_the_same_float32_and_never_longer(value: float) -> None:
    short = shortest_float(value)
    assert np.float32(short) == np.float32(value)
    assert len(repr(short)) <= len(repr(value))


@given(st.floats(0, 1, allow_nan=False))
def test_shortest_float_leaves_a_float64_alone(value: float) -> None:
    if float(np.float32(value)) != value:
        assert shortest_float(value) == value
