from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from modelkb_store.records import Status
from record_types import RECORD_TYPES
from small_experiment import DATASET, experiment_record


@pytest.mark.parametrize("record_type", list(dict.fromkeys(RECORD_TYPES.values())))
def test_records_are_frozen_and_have_slots(record_type: type[Any]) -> None:
    assert dataclasses.is_dataclass(record_type)
    assert record_type.__dataclass_params__.frozen
    assert "__slots__" in vars(record_type)


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment_record().status = "finished"  # type: ignore[misc]


def test_equal_facts_make_equal_records() -> None:
    assert dataclasses.replace(DATASET) == DATASET
    assert dataclasses.replace(DATASET, kind="generator") != DATASET


def test_a_status_is_a_text() -> None:
    assert [status.value for status in Status] == ["running", "finished", "failed", "interrupted"]
    assert Status("failed") is Status.FAILED
