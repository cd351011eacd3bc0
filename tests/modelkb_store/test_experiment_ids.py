from __future__ import annotations

import pytest

from modelkb_store.errors import AmbiguousIdError, ExperimentNotFoundError
from modelkb_store.experiment_ids import resolve_experiment_id

IDS = ["20261101-100000000-00000000ab", "20261102-100000000-ab000000cd"]
NAMES = ["first", "ab"]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [(IDS[0], 0), ("20261101", 0), ("00000000a", 0), ("first", 0), ("ab", 1), ("20261102-1", 1)],
)
def test_what_is_unique_is_found(wanted: str, number: int) -> None:
    assert resolve_experiment_id(wanted, IDS, NAMES) == IDS[number]


def test_a_name_goes_before_a_part_of_an_id() -> None:
    assert resolve_experiment_id("ab", IDS, ["ab", "second"]) == IDS[0]


def test_what_fits_several_or_none() -> None:
    with pytest.raises(AmbiguousIdError):
        resolve_experiment_id("2026", IDS, NAMES)
    for wanted in ("", "fist", "00000000abc"):
        with pytest.raises(ExperimentNotFoundError):
            resolve_experiment_id(wanted, IDS, NAMES)
