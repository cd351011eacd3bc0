"""What happened last in a store, in all of its projects."""

from __future__ import annotations

from collections import Counter, defaultdict

import pandas as pd
import pyarrow as pa

from modelkb_store import Store
from modelkb_store.records import Status
from modelkb_viewer.content.experiment_frame import DURATION, PROGRESS, experiment_frame
from modelkb_viewer.content.filters import equal_to, has_any_tag, has_text
from modelkb_viewer.content.main_metric import main_metrics

RUNNING = equal_to("status", Status.RUNNING.value)
_SEARCHED = ("name", "project", "owner", "status", "notes", "experiment_id")
_COLUMNS = ("experiment_id", "name", "project", "status", PROGRESS)
_LAST_COLUMNS = ("started_at", DURATION, "owner")


def recent_experiments(store: Store, search: str = "", limit: int = 20) -> pd.DataFrame:
    """Return the newest experiments of all projects; those that run come first.

    Args:
        store: The store.
        search: Only those with all of these words in their name, project, owner, status, notes,
            id or tags, whatever the case (of tags: as a whole).
        limit: At most so many.

    Returns:
        Columns ``experiment_id``, ``name``, ``project``, ``status``, ``epochs``, ``metric`` (the
        most telling one of its project), ``value`` (its last one), ``started_at``,
        ``duration_seconds`` (text) and ``owner``.
    """
    where = " and ".join(f"({_has_word(word)})" for word in search.split())
    running = store.experiment_ids(
        where=f"{RUNNING} and {where}" if where else RUNNING, order_by="-started_at"
    )
    newest = store.experiment_ids(where=where or None, order_by="-started_at")
    ids = list(dict.fromkeys([*running, *newest[: limit + len(running)]]))[:limit]
    rows = store.experiment_rows(ids)
    frame = experiment_frame(rows, _COLUMNS)
    metrics = _metric_of_each(rows)
    frame["metric"] = pd.Series(metrics, dtype="object")
    frame["value"] = _values(rows, metrics)
    joined: pd.DataFrame = frame.join(experiment_frame(rows, _LAST_COLUMNS))
    return joined


def running_count(store: Store, project: str | None = None) -> int:
    """Return how many experiments run, of all projects or of one."""
    return len(store.experiment_ids(project, where=RUNNING))


def _has_word(word: str) -> str:
    texts = [has_text(column, word) for column in _SEARCHED]
    return " or ".join([*texts, has_any_tag([word])])


def _metric_of_each(rows: pa.Table) -> list[str | None]:
    """Return for each experiment the most telling metric of its project that it has."""
    names = [name for name in rows.column_names if name.startswith("metrics.")]
    known = {name: rows[name].is_valid().to_pylist() for name in names}
    projects = rows["project"].to_pylist()
    had = [
        [name.removeprefix("metrics.") for name in names if known[name][row]]
        for row in range(rows.num_rows)
    ]
    runs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for project, metrics in zip(projects, had, strict=True):
        runs[project].update(metrics)
    in_order = {project: main_metrics(counts) for project, counts in runs.items()}
    return [
        next((metric for metric in in_order[project] if metric in metrics), None)
        for project, metrics in zip(projects, had, strict=True)
    ]


def _values(rows: pa.Table, metrics: list[str | None]) -> list[float | None]:
    columns = {metric: rows[f"metrics.{metric}"].to_pylist() for metric in set(metrics) if metric}
    return [columns[metric][row] if metric else None for row, metric in enumerate(metrics)]
