from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from modelkb_viewer.content.hyperparameter_values import (
    as_hyperparameter,
    as_text,
    varying_hyperparameters,
)


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({f"params.{name}": values for name, values in columns.items()})


def test_only_what_varies_is_given() -> None:
    found = varying_hyperparameters(frame(same=[1, 1, 1], rate=[0.1, 0.2, 0.1]))
    assert [each.name for each in found] == ["rate"]
    assert found[0].is_numeric


def test_a_value_that_is_missing_is_another_one() -> None:
    (momentum,) = varying_hyperparameters(frame(momentum=[0.9, None, 0.9]))
    assert not momentum.is_numeric
    assert momentum.values.tolist() == ["0.9", None, "0.9"]


def test_a_constant_of_the_script_and_its_argument_are_one() -> None:
    found = varying_hyperparameters(frame(BATCH_SIZE=[16, 32], batch_size=[16.0, 32.0], z=[1, 2]))
    assert [each.name for each in found] == ["batch_size", "z"]


def test_the_architecture_counts_where_it_varies() -> None:
    experiments = frame(a=[1, 1]).assign(architecture_id=["a1" * 16, "b2" * 16])
    (architecture,) = varying_hyperparameters(experiments)
    assert architecture.values.tolist() == ["a1a1a1a1", "b2b2b2b2"]
    begun = frame(a=[1, 1]).assign(architecture_id=["a1" * 16, None])
    assert varying_hyperparameters(begun) == []


@pytest.mark.parametrize(
    ("numbers", "is_wide"),
    [([1e-4, 1e-1], True), ([0.1, 0.2], False), ([0.0, 100.0], False), ([-1.0, 100.0], False)],
)
def test_numbers_over_decades_are_wide(numbers: list[float], is_wide: bool) -> None:
    assert as_hyperparameter("rate", pd.Series(numbers)).is_wide is is_wide


def test_truth_values_are_texts() -> None:
    found = as_hyperparameter("shuffle", pd.Series([True, False]))
    assert found.values.tolist() == ["true", "false"]
    assert not found.is_numeric


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00123456, "0.001235"),
        (np.float64(3), "3"),
        (np.int64(7), "7"),
        (True, "true"),
        (math.nan, "(not set)"),
        (pd.NaT, "(not set)"),
        (np.array([1, 2]), "[1, 2]"),
        (math.inf, "inf"),
        ("adam", "adam"),
    ],
)
def test_values_as_texts(value: object, text: str) -> None:
    assert as_text(value) == text
