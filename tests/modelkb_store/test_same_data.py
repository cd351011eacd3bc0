from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment, InvalidSettingError, Store
from modelkb_store.same_data import same_data
from modelkb_store.writer import ExperimentWriter
from small_experiment import DATASET

WriterFactory = Callable[..., ExperimentWriter]


def described(
    fingerprint: str | None, scope: str | None, count: int | None, seen: int | None = None
) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint,
        "fingerprint_scope": scope,
        "fingerprint_sample_count": count if seen is None else seen,
        "sample_count": count,
    }


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (described("a", "all", 9), described("a", "all", 9), True),
        (described("a", "all", 9), described("b", "all", 9), False),
        (described("a", "all", 9), described("a", "epoch", 9), True),
        (described("a", "all", 9), described("a", "epoch", None, 9), True),
        (described("a", "all", 9), described("b", "epoch", 9), False),
        (described("a", "all", 9), described("b", "all", 8), False),
        # Epochs of as many samples show others; of fewer, it can be a part of the same data.
        (described("a", "epoch", None, 9), described("b", "epoch", None, 9), False),
        (described("a", "epoch", None, 9), described("b", "epoch", None, 6), None),
        (described("a", "all", 9), described("b", "epoch", None, 6), None),
        # Rows spread over arrays differ where only the order does.
        (described("a", "rows", 9, 3), described("a", "rows", 9, 3), True),
        (described("a", "rows", 9, 3), described("b", "rows", 9, 3), None),
        (described("a", "rows", 9, 3), described("b", "all", 9), None),
        (described("a", "rows", 9, 3), described("b", "rows", 8, 3), False),
        # A run that was stopped has seen no more than a part.
        (described("a", "part", None, 3), described("a", "part", None, 3), None),
        (described("a", "part", None, 3), described("b", "all", 9), None),
        (described(None, None, 9), described("a", "all", 9), None),
        (described(None, None, 9), described("a", "all", 8), False),
        # A file of before there were scopes.
        (described("a", None, 9), described("a", "all", 9), None),
        ({}, described("a", "all", 9), None),
    ],
)
def test_what_two_descriptions_tell(
    one: dict[str, Any], other: dict[str, Any], expected: bool | None
) -> None:
    assert same_data(one, other) is expected
    assert same_data(other, one) is expected


@pytest.fixture
def run_factory(store: Path, writer_factory: WriterFactory) -> Callable[..., Experiment]:
    """Records runs of a dataset described by its fingerprint, in projects of their own."""
    made: list[str] = []

    def make(fingerprint: str, split: str = "train") -> Experiment:
        made.append(fingerprint)
        dataset = replace(
            DATASET,
            dataset_id=f"{len(made):032x}",
            fingerprint=fingerprint,
            fingerprint_scope="all",
        )
        writer = writer_factory(project=f"project-{len(made)}")
        writer.add_dataset(dataset)
        field = "dataset_id" if split == "train" else "validation_dataset_id"
        writer.set(**{field: dataset.dataset_id})
        writer.save_experiment()
        return Store(store).experiment(writer.experiment.experiment_id)

    return make


def test_runs_of_two_projects(run_factory: Callable[..., Experiment]) -> None:
    first, second, third = run_factory("a" * 32), run_factory("a" * 32), run_factory("b" * 32)
    assert first.same_data(second) is True
    assert first.same_data(third) is False
    assert first.same_data(second, split="validation") is None
    with pytest.raises(InvalidSettingError, match="split"):
        first.same_data(second, split="test")


def test_validation_data(run_factory: Callable[..., Experiment]) -> None:
    first, second = run_factory("a" * 32, "validation"), run_factory("a" * 32, "validation")
    assert first.same_data(second, split="validation") is True
    assert first.same_data(second) is None
