from __future__ import annotations

import pytest

from modelkb_viewer.exchange.importing.curve_names import epochs_of, split_and_metric


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", ("train", "loss")),
        ("val_loss", ("validation", "loss")),
        ("validation_loss", ("validation", "loss")),
        ("test_f1", ("test", "f1")),
        ("value", ("train", "value")),
        ("val_", ("train", "val_")),
    ],
)
def test_split_and_metric(name: str, expected: tuple[str, str]) -> None:
    assert split_and_metric(name) == expected


def test_steps_that_can_be_epochs_are() -> None:
    assert epochs_of([3, 7, 2**31 - 1]) == [3, 7, 2**31 - 1]
    assert epochs_of([3, 2**31]) == [0, 1]
    assert epochs_of([-1, 0]) == [0, 1]
    assert epochs_of([]) == []
