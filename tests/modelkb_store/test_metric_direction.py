from __future__ import annotations

import pytest

from modelkb_store.metric_direction import higher_is_better


@pytest.mark.parametrize(
    ("metric", "higher"),
    [
        ("accuracy", True),
        ("val_sparse_categorical_accuracy", True),
        ("acc", True),
        ("auc_1", True),
        ("head_f1_score", True),
        ("mean_iou", True),
        ("r2_score", True),
        ("cosine_similarity", True),
        ("loss", False),
        ("val_accuracy_loss", False),
        ("mean_absolute_error", False),
        ("mae", False),
        ("false_positives", False),
        ("true_positives", True),
        ("kl_divergence", False),
        ("accurate", False),
        ("", False),
    ],
)
def test_whether_more_is_better(metric: str, higher: bool) -> None:
    assert higher_is_better(metric) is higher
