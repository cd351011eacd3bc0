"""Whether more of a metric is better: the one place that knows."""

from __future__ import annotations

import re

_HIGHER = {
    "accuracy",
    "acc",
    "auc",
    "auroc",
    "auprc",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "f1",
    "f2",
    "fbeta",
    "f1score",
    "fscore",
    "iou",
    "miou",
    "jaccard",
    "dice",
    "r2",
    "bleu",
    "rouge",
    "map",
    "ndcg",
    "mrr",
    "psnr",
    "ssim",
    "kappa",
    "mcc",
    "similarity",
    "correlation",
    "pearson",
    "spearman",
    "positives",
    "negatives",
    "score",
    "reward",
    "return",
    "hits",
}
_LOWER = {"loss", "error", "err", "distance", "divergence", "false"}


def higher_is_better(metric: str) -> bool:
    """Return whether the best value of a metric is its largest one.

    Goes by the words of the name, so that outputs, splits and numbers may be about it. What
    is not known to be better when it is higher, as losses and errors, is better when lower.

    Example:
        >>> higher_is_better("val_head_sparse_categorical_accuracy"), higher_is_better("mae")
        (True, False)
    """
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    return bool(words & _HIGHER) and not words & _LOWER
