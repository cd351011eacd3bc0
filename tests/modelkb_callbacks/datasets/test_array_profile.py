from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from modelkb_callbacks.datasets import array_profile
from modelkb_callbacks.datasets.array_profile import profile_arrays
from modelkb_callbacks.datasets.data_profile import DataProfile

FORMS = ("integers",)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Arrays of more rows than the work on them is bounded to."""
    monkeypatch.setattr(array_profile, "WORK_BYTES", 100 * 1100)
    return np.arange(400.0)[:, None] * np.ones((1, 4)), np.arange(400) % 4


def profiled(x: Any, y: Any, rows: range) -> tuple[DataProfile, str]:
    return profile_arrays(x, y, rows, FORMS)


def test_small_arrays_are_read_whole_in_any_container() -> None:
    x = np.random.default_rng(0).integers(0, 2, (50, 6)).astype("float32")
    y = np.arange(50) % 3
    found = [
        profiled(*pair, range(50))
        for pair in (
            (x, y),
            ([x], {"kind": y}),
            (pd.DataFrame(x), pd.Series(y)),
            (scipy.sparse.coo_matrix(x), y),
            (x.astype("float64"), y[:, None].astype("int8")),
        )
    ]
    assert {scope for _, scope in found} == {"all"}
    assert len({profile.fingerprint.text() for profile, _ in found}) == 1
    assert {profile.class_counts() for profile, _ in found} == {(17, 17, 16)}


def test_parts_are_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.default_rng(0).normal(size=(50, 6)), np.arange(50) % 3
    whole, _ = profiled(x, y, range(50))
    monkeypatch.setattr(array_profile, "_CHUNK_BYTES", 100)
    parts, _ = profiled(x, y, range(50))
    assert parts.fingerprint.text() == whole.fingerprint.text()
    assert parts.batch_count > whole.batch_count == 1


def test_only_the_rows_of_a_split_count() -> None:
    x, y = np.arange(50.0)[:, None], np.arange(50) % 3
    split, scope = profiled(x, y, range(40, 50))
    alone, _ = profiled(x[40:], y[40:], range(10))
    assert scope == "all"
    assert split.fingerprint.text() == alone.fingerprint.text()
    assert (split.inputs[0].low, split.inputs[0].high) == (40, 49)


def test_of_large_arrays_rows_are_spread_and_labels_are_whole(large: tuple[Any, Any]) -> None:
    x, y = large
    profile, scope = profiled(x, y, range(400))
    assert scope == "rows"
    assert 90 < profile.fingerprint.sample_count < 110
    assert (profile.inputs[0].low, profile.inputs[0].high) == (0, 399), "first and last row"
    assert profile.class_counts() == (100, 100, 100, 100)
    again, _ = profiled(x.astype("float32"), pd.Series(y), range(400))
    assert again.fingerprint.text() == profile.fingerprint.text()


def test_of_large_labels_rows_are_all_that_is_counted(
    large: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_profile, "_LABELS_BYTES", 10)
    profile, _ = profiled(*large, range(400))
    counts = profile.class_counts()
    assert counts is not None
    assert sum(counts) == profile.fingerprint.sample_count < 400


def test_no_rows() -> None:
    profile, scope = profiled(np.zeros((0, 3)), np.zeros(0), range(0))
    assert (profile.fingerprint.sample_count, scope) == (0, "all")


def test_texts_count_as_what_they_cost() -> None:
    texts = np.array(["a long text " * 1000] * 5000, dtype=object)[:, None]
    _, scope = profiled(texts, None, range(5000))
    assert scope == "rows"
