from __future__ import annotations

import numpy as np
import pytest

from modelkb_callbacks.datasets.data_profile import DataProfile, LeafProfile


def profile_of(*batches: np.ndarray) -> LeafProfile:
    profile = DataProfile(())
    for x in batches:
        profile.add([x], [])
    return profile.inputs[0]


def test_ranges_over_batches() -> None:
    leaf = profile_of(np.array([3.5, 1]), np.array([np.nan, -2]), np.array([np.nan]))
    assert (leaf.low, leaf.high) == (-2.0, 3.5)
    whole = profile_of(np.array([[1, 2]], dtype="uint8"), np.array([[0, 255]], dtype="uint8"))
    assert (whole.low, whole.high, whole.dtype, whole.shape) == (0, 255, "uint8", [2])
    assert profile_of(np.array([True, False])).high == 1


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([np.nan]), np.zeros((2, 0))])
def test_no_numbers_no_range(values: np.ndarray) -> None:
    leaf = profile_of(values)
    assert (leaf.low, leaf.high) == (None, None)


def test_extents_that_differ_are_unknown() -> None:
    assert profile_of(np.zeros((2, 5, 3)), np.zeros((2, 7, 3))).shape == [None, 3]


def test_classes_of_one_target_alone() -> None:
    labels = np.array([0, 1, 1])
    profile = DataProfile(("integers",))
    profile.add([labels], [labels])
    assert profile.class_counts() == (1, 2)
    profile.recount_targets([np.array([2])])
    assert profile.class_counts() == (0, 0, 1)
    assert profile.fingerprint.sample_count == 3
    several = DataProfile(("integers",))
    several.add([labels], [labels, labels])
    assert several.class_counts() is None
