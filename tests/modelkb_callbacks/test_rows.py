"""Values of variables, read without more copies than they need."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from modelkb_callbacks.rows import spread_values, to_numpy


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 3, 5, 4), (0, 4)])
def test_spread_values(dtype: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    variable = keras.Variable(values, dtype=dtype)
    every = to_numpy(variable).reshape(-1)
    stride = max(1, -(-every.size // 8))
    spread = spread_values(variable, 8)
    assert spread.dtype == every.dtype
    assert spread.tobytes() == every[::stride].tobytes()
    assert len(spread) <= 8


def test_later_changes_are_seen() -> None:
    variable = keras.Variable(np.zeros(4, dtype="float32"))
    assert spread_values(variable, 8).tolist() == [0, 0, 0, 0]
    variable.assign_add(np.ones(4, dtype="float32"))
    assert spread_values(variable, 8).tolist() == [1, 1, 1, 1]
    assert to_numpy(variable).tolist() == [1, 1, 1, 1]
