"""The projects of a store, with how well they do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store import Store
from modelkb_store.history_names import history_name
from modelkb_store.metric_direction import higher_is_better
from modelkb_store.records import Status
from modelkb_viewer.content.main_metric import main_metric

_SEARCHED = ("project", "owner", "application", "description", "best_metric")


@dataclass(frozen=True, slots=True)
class _Curve:
    """A metric over all runs of a project."""

    runs: int
    low: float | None
    high: float | None


def list_projects(store: Store, search: str = "") -> pd.DataFrame:
    """Return the projects, the one where something happened last first.

    Args:
        store: The store.
        search: Only those with all of these words in their name, owner, application,
            description or metric, whatever the case.

    Returns:
        Columns ``project``, ``owner``, ``application``, ``description``, ``experiments`` and
        ``running`` (numbers of runs), ``best`` (the best value that any epoch of any run has),
        ``best_metric`` (of which metric) and ``last_activity`` (UTC).
    """
    projects = store.table("projects", columns=["project", "owner", "application", "description"])
    runs = _runs_by_project(store)
    frame: pd.DataFrame = projects.to_pandas().merge(runs, "left", on="project")
    for name in ("experiments", "running"):
        frame[name] = frame[name].fillna(0).astype("int64")
    best = _best_by_project(store)
    frame["best"] = [best.get(name, (None, None))[1] for name in frame["project"]]
    frame["best"] = frame["best"].astype("float64")
    frame["best_metric"] = [best.get(name, (None, None))[0] for name in frame["project"]]
    frame = frame[_has_all_words(frame, search)]
    in_order: pd.DataFrame = frame.sort_values(
        ["last_activity", "project"], ascending=[False, True], ignore_index=True
    )
    return in_order


def _runs_by_project(store: Store) -> pd.DataFrame:
    columns = ["project", "status", "started_at", "ended_at"]
    runs = store.table("experiments", columns=columns)
    running = pc.equal(runs["status"], Status.RUNNING.value).cast(pa.int64())
    latest = pc.coalesce(runs["ended_at"], runs["started_at"])
    table = pa.table([runs["project"], running, latest], ["project", "running", "latest"])
    counted = table.group_by("project").aggregate(
        [("running", "count"), ("running", "sum"), ("latest", "max")]
    )
    names = {
        "running_count": "experiments",
        "running_sum": "running",
        "latest_max": "last_activity",
    }
    frame: pd.DataFrame = counted.to_pandas().rename(columns=names)
    return frame


def _best_by_project(store: Store) -> dict[str, tuple[str, float | None]]:
    """Return each project's most telling metric, and the best value of it."""
    columns = ["project", "split", "metric", "min", "max"]
    summaries = store.table("metric_summaries", columns=columns)
    found = summaries.group_by(["project", "split", "metric"]).aggregate(
        [("metric", "count"), ("min", "min"), ("max", "max")]
    )
    curves: dict[str, dict[str, _Curve]] = defaultdict(dict)
    for row in found.to_pylist():
        curve = _Curve(row["metric_count"], row["min_min"], row["max_max"])
        curves[row["project"]][history_name(row["split"], row["metric"])] = curve
    best = {}
    for project, metrics in curves.items():
        name = main_metric({metric: curve.runs for metric, curve in metrics.items()})
        if name is not None:
            curve = metrics[name]
            best[project] = (name, curve.high if higher_is_better(name) else curve.low)
    return best


def _has_all_words(frame: pd.DataFrame, search: str) -> pd.Series[bool]:
    words = search.lower().split()
    found = []
    for row in frame[list(_SEARCHED)].itertuples(index=False):
        text = "\n".join(value for value in row if isinstance(value, str)).lower()
        found.append(all(word in text for word in words))
    return pd.Series(found, index=frame.index, dtype="bool")
