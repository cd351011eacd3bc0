"""Experiments as a table on a terminal."""

from __future__ import annotations

from typing import Any

from modelkb_store.experiment_record import Status
from modelkb_viewer.printing import duration, moment, number, print_table

STATUS_COLOURS = {
    Status.FINISHED.value: "green",
    Status.RUNNING.value: "yellow",
    Status.INTERRUPTED.value: "red",
    Status.FAILED.value: "red",
}
_METRICS_SHOWN = 4
_ALWAYS_SHOWN = 4


def print_experiments(rows: list[dict[str, Any]]) -> None:
    """Print experiments, one a line.

    Args:
        rows: Of :meth:`modelkb_store.Store.experiment_table`; at least one.
    """
    shown = _metrics_to_show(rows)
    metrics = [name.removeprefix("metrics.") for name in shown]
    print_table(
        ["id", "project", "name", "status", *metrics, "started", "took"],
        [_cells(row, shown) for row in rows],
        right=metrics,
        at_least=_ALWAYS_SHOWN,
        colours=STATUS_COLOURS,
    )


def _metrics_to_show(rows: list[dict[str, Any]]) -> list[str]:
    """Return the metrics that most experiments have; validation before training."""
    names = [name for name in rows[0] if name.startswith("metrics.")]
    count = {name: sum(row[name] is not None for row in rows) for name in names}
    names.sort(key=lambda name: (-count[name], "val_" not in name, "loss" in name, name))
    return names[:_METRICS_SHOWN]


def _cells(row: dict[str, Any], metrics: list[str]) -> list[str]:
    return [
        row["experiment_id"].rpartition("-")[2],
        row["project"],
        _name(row),
        row["status"],
        *(number(row[name]) for name in metrics),
        moment(row["started_at"]),
        duration(row["duration_seconds"]),
    ]


def _name(row: dict[str, Any]) -> str:
    """Return the name, with the run that it does again."""
    original = row["reproduces_experiment_id"]
    return f"{row['name']} (again {original.rpartition('-')[2]})" if original else row["name"]
