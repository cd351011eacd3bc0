"""What was predicted with the model of an experiment."""

from __future__ import annotations

import json

import pandas as pd

from modelkb_store import Experiment
from modelkb_viewer.prediction.input_spec import number

_COLUMNS = ["Time (UTC)", "Source", "Samples", "Input shapes", "Outputs", "Seconds"]


def recent_predictions(experiment: Experiment, limit: int = 20) -> pd.DataFrame:
    """Return the latest predictions of an experiment, newest first.

    Args:
        experiment: The experiment.
        limit: No more than these.
    """
    rows = experiment.table("predictions").sort_by([("created_at", "descending")])
    frame: pd.DataFrame = pd.DataFrame(
        [
            {
                "Time (UTC)": row["created_at"],
                "Source": row["source"],
                "Samples": row["sample_count"],
                "Input shapes": _shapes(row["input_shapes"]),
                "Outputs": _outputs(row["output_summary"]),
                "Seconds": row["duration_seconds"],
            }
            for row in rows.slice(0, limit).to_pylist()
        ],
        columns=_COLUMNS,
    )
    return frame


def _shapes(text: str | None) -> str:
    shapes = json.loads(text or "null") or []
    return ", ".join(" x ".join("?" if each is None else str(each) for each in of) for of in shapes)


def _outputs(text: str | None) -> str:
    return "; ".join(_output(each) for each in json.loads(text or "null") or [])


def _output(summary: dict[str, object]) -> str:
    low, high = summary.get("min"), summary.get("max")
    if low is None or high is None:
        return ""
    return _number(low) if low == high else f"{_number(low)}..{_number(high)}"


def _number(value: object) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)
