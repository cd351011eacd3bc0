"""The evaluations of an experiment, one of which is shown at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from modelkb_store import Experiment

_FIGURES = {"accuracy": "Accuracy", "r2": "R²", "mae": "MAE", "rmse": "RMSE"}
_SOURCES = {
    "validation_pass": "from Keras' own validation pass",
    "earlier_validation_pass": "from an earlier validation pass of Keras' own",
    "second_pass": "predicted again at the end of the training",
    "training_sample": "of a sample of the training data",
    "evaluate": "from a call of model.evaluate",
    "user": "logged by the user",
}


@dataclass(frozen=True)
class Evaluation:
    """One evaluation.

    Attributes:
        label: What it is of; no two of an experiment have the same.
        task: ``classification``, ``multilabel`` or ``regression``.
        about: How many samples it is of, and where it comes from.
        figures: Accuracy, R² and the like, by name.
        matrix: The confusion matrix, as of ``Experiment.confusion_matrix``; None without one.
        classes: One row per class with precision, recall, F1 and support; None without any.
        residuals: Bins of true minus predicted value: ``low``, ``high`` and ``count``; or None.
    """

    label: str
    task: str
    about: str
    figures: dict[str, float]
    matrix: pd.DataFrame | None
    classes: pd.DataFrame | None
    residuals: pd.DataFrame | None


def evaluations_of(experiment: Experiment) -> list[Evaluation]:
    """Return the evaluations of an experiment; validation comes before test, the newest first."""
    newest_first = [("created_at", "descending")]
    rows = experiment.table("evaluations").sort_by(newest_first).to_pylist()
    rows.sort(key=lambda row: row["split"] != "validation")
    outputs = {row["output"] for row in rows}
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        label = row["split"] + (f", output {row['output']}" if len(outputs) > 1 else "")
        seen[label] += 1
        label += f" ({seen[label]})" if seen[label] > 1 else ""
        found.append(_evaluation(row, label))
    return found


def _evaluation(row: dict[str, Any], label: str) -> Evaluation:
    names = _class_names(row)
    figures = {title: row[name] for name, title in _FIGURES.items() if row[name] is not None}
    return Evaluation(
        label=label,
        task=row["task"],
        about=_about(row),
        figures=figures,
        matrix=_matrix(row["confusion_matrix"], names),
        classes=_classes(row, names),
        residuals=_residuals(row),
    )


def _about(row: dict[str, Any]) -> str:
    sample = "A sample of " if row["sampled"] else ""
    epoch = "" if row["epoch"] is None else f", epoch {row['epoch']}"
    source = _SOURCES.get(row["source"], row["source"])
    return f"{sample}{row['sample_count']:,} samples{epoch}, {source}."


def _class_names(row: dict[str, Any]) -> list[str]:
    counted = row["confusion_matrix"] or row["support"] or row["precision"] or []
    names: list[str] = row["class_names"] or []
    return names if len(names) == len(counted) else [str(number) for number in range(len(counted))]


def _matrix(counts: list[list[int]] | None, names: list[str]) -> pd.DataFrame | None:
    if counts is None:
        return None
    true, predicted = pd.Index(names, name="true"), pd.Index(names, name="predicted")
    matrix: pd.DataFrame = pd.DataFrame(counts, index=true, columns=predicted, dtype="int64")
    return matrix


def _classes(row: dict[str, Any], names: list[str]) -> pd.DataFrame | None:
    columns = {"precision": "Precision", "recall": "Recall", "f1": "F1", "support": "Support"}
    known = {title: row[name] for name, title in columns.items() if row[name] is not None}
    table: pd.DataFrame = pd.DataFrame({"Class": names, **known})
    return table if known else None


def _residuals(row: dict[str, Any]) -> pd.DataFrame | None:
    edges, counts = row["residual_edges"], row["residual_counts"]
    if not edges or not counts:
        return None
    bins: pd.DataFrame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts})
    return bins
