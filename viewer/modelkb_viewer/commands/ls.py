"""``modelkb ls``: the experiments of a store."""

from __future__ import annotations

from typing import Any

import click

from modelkb_store import Store
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import duration, moment, number, print_json, print_table

_METRICS_SHOWN = 4


@click.command("ls")
@click.option("--project", metavar="NAME", help="Only this project's experiments.")
@store_option
@json_option
def command(project: str | None, store: str | None, as_json: bool) -> None:
    """List the experiments, oldest first, with their last metrics.

    Example: modelkb ls --project digits
    """
    rows = Store(store).experiment_table(project).to_pylist()
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(f"No experiments{f' in project {project!r}' if project else ''} yet.")
        return
    metrics = [name for name in rows[0] if name.startswith("metrics.")]
    # What was measured on validation data says more; loss comes after what it stands for.
    metrics.sort(key=lambda name: ("val_" not in name, "loss" in name, name))
    shown = metrics[:_METRICS_SHOWN]
    print_table(
        [
            "id",
            "project",
            "name",
            "status",
            "started",
            "took",
            *(name.removeprefix("metrics.") for name in shown),
        ],
        [_cells(row, shown) for row in rows],
    )


def _cells(row: dict[str, Any], metrics: list[str]) -> list[str]:
    return [
        row["experiment_id"],
        row["project"],
        row["name"],
        row["status"],
        moment(row["started_at"]),
        duration(row["duration_seconds"]),
        *(number(row[name]) for name in metrics),
    ]
