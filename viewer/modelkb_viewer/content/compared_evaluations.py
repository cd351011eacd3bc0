"""Evaluations of several experiments: their measures, and their confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from modelkb_store import Experiment

_MEASURES = ("accuracy", "r2", "mae", "rmse")
_BY_CLASS = ("precision", "recall", "f1")


def evaluation_measures(experiments: Sequence[tuple[str, Experiment]]) -> pd.DataFrame:
    """Return one row per evaluation.

    Args:
        experiments: Labels and experiments.

    Returns:
        Columns ``experiment``, ``split``, ``output``, ``samples``, and those of ``accuracy``,
        ``precision``, ``recall`` and ``f1`` (means of the classes), ``r2``, ``mae`` and ``rmse``
        that one of them has.
    """
    rows = []
    for label, experiment in experiments:
        for row in experiment.table("evaluations").to_pylist():
            means = {name: _mean(row[name]) for name in _BY_CLASS}
            measures = {name: row[name] for name in _MEASURES}
            about = {"split": row["split"], "output": row["output"], "samples": row["sample_count"]}
            rows.append({"experiment": label, **about, **measures, **means})
    order = ["experiment", "split", "output", "samples", "accuracy", *_BY_CLASS, *_MEASURES[1:]]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=order)
    numbers = frame.columns[4:]
    frame[numbers] = frame[numbers].astype("float64")
    measured: pd.DataFrame = frame.drop(
        columns=[name for name in numbers if frame[name].isna().all()]
    )
    return measured


def confusion_matrices(
    experiments: Sequence[tuple[str, Experiment]],
) -> dict[tuple[str, str], dict[str, pd.DataFrame]]:
    """Return the confusion matrices by split and output, and of these by the experiment's label."""
    found: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
    for label, experiment in experiments:
        table = experiment.table("evaluations").select(["split", "output", "confusion_matrix"])
        for row in table.to_pylist():
            if row["confusion_matrix"] is not None:
                matrix = experiment.confusion_matrix(row["split"], row["output"])
                found.setdefault((row["split"], row["output"]), {})[label] = matrix
    return found


def _mean(values: Sequence[float | None] | None) -> Any:
    known = [value for value in values or () if value is not None]
    return float(np.mean(known)) if known else None
