"""``modelkb ls``: the experiments of a store."""

from __future__ import annotations

from typing import Any

import click

from modelkb_store import Store
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import duration, moment, number, print_json, print_table

_METRICS_SHOWN = 4
_ALWAYS_SHOWN = 4


@click.command("ls")
@click.option("--project", metavar="NAME", help="Only this project's experiments.")
@store_option
@json_option
def command(project: str | None, store: str | None, as_json: bool) -> None:
    """List the experiments, oldest first, with their last metrics.

    The ids are the last parts of the whole ones, which --json has. On a narrow terminal
    columns on the right are left out.

    Example: modelkb ls --project digits
    """
    rows = Store(store).experiment_table(project).to_pylist()
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(f"No experiments{f' in project {project!r}' if project else ''} yet.")
        return
    shown = _metrics_to_show(rows)
    metrics = [name.removeprefix("metrics.") for name in shown]
    print_table(
        ["id", "project", "name", "status", *metrics, "started", "took"],
        [_cells(row, shown) for row in rows],
        right=metrics,
        at_least=_ALWAYS_SHOWN,
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
        row["name"],
        row["status"],
        *(number(row[name]) for name in metrics),
        moment(row["started_at"]),
        duration(row["duration_seconds"]),
    ]
