from __future__ import annotations

import pytest

from modelkb_viewer.content.main_metric import main_metric, main_metrics


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ({"loss": 3, "accuracy": 3, "val_loss": 3, "val_accuracy": 3}, "val_accuracy"),
        ({"loss": 3, "val_loss": 3, "val_auc": 3, "val_mae": 3}, "val_auc"),
        ({"loss": 3, "mae": 3, "val_loss": 3, "val_mae": 3}, "val_mae"),
        ({"loss": 3, "accuracy": 3, "test_accuracy": 2}, "test_accuracy"),
        ({"loss": 3, "val_loss": 3, "accuracy": 3}, "val_loss"),
        (
            {"loss": 3, "val_head_sparse_categorical_accuracy": 3},
            "val_head_sparse_categorical_accuracy",
        ),
        ({"loss": 9, "val_loss": 9, "val_accuracy": 1}, "val_loss"),
        ({"loss": 1}, "loss"),
        ({}, None),
    ],
)
def test_the_most_telling_metric(runs: dict[str, int], expected: str | None) -> None:
    assert main_metric(runs) == expected


def test_no_metric_is_left_out() -> None:
    runs = {"loss": 9, "val_loss": 9, "rare": 1, "mae": 9}

    assert main_metrics(runs) == ["val_loss", "mae", "loss", "rare"]
