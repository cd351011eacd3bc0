"""The names that Keras' history has for metrics of a split."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from modelkb_store.text_column import Codes, encoded_texts

_PREFIX_OF_SPLIT = {"train": "", "validation": "val_"}


def history_name(split: str, metric: str) -> str:
    """Return the name that Keras' history has for a metric of a split."""
    return _PREFIX_OF_SPLIT.get(split, f"{split}_") + metric


def history_name_codes(
    splits: pa.ChunkedArray, metrics: pa.ChunkedArray
) -> tuple[Codes, list[str]]:
    """Return the history names of many rows, as codes and the names they stand for.

    Args:
        splits: The column ``split`` of ``metrics`` or ``metric_summaries``.
        metrics: The column ``metric``.
    """
    split_codes, split_texts = encoded_texts(splits)
    metric_codes, metric_texts = encoded_texts(metrics)
    width = len(metric_texts) + 1
    pairs, places = np.unique(split_codes * width + metric_codes, return_inverse=True)
    of_split, of_metric = split_texts.to_pylist(), metric_texts.to_pylist()
    names = [
        history_name(of_split[pair // width], of_metric[pair % width]) for pair in pairs.tolist()
    ]
    distinct = sorted(set(names))
    code_of = {name: code for code, name in enumerate(distinct)}
    return np.array([code_of[name] for name in names], np.int64)[places], distinct


def metrics_that_may_be(name: str) -> list[str]:
    """Return the metrics whose history name may be this one, in some split.

    Example:
        >>> metrics_that_may_be("val_top_5")
        ['val_top_5', 'top_5', '5']
    """
    parts = name.split("_")
    return ["_".join(parts[start:]) for start in range(len(parts))]
