"""``modelkb ls``: the experiments of a store."""

from __future__ import annotations

import click

from modelkb_store import Store
from modelkb_viewer.experiment_list import print_experiments
from modelkb_viewer.options import json_option, order_options, project_option, store_option
from modelkb_viewer.printing import print_json


@click.command("ls")
@project_option()
@order_options
@store_option
@json_option
def command(
    project: str | None,
    order_by: tuple[str, ...],
    limit: int | None,
    store: str | None,
    as_json: bool,
) -> None:
    """List the experiments, oldest first, with their last metrics.

    The ids are the last parts of the whole ones, which --json has. On a narrow terminal
    columns on the right are left out.

    Examples:
      modelkb ls
      modelkb ls --project digits --order-by=-started_at --limit 10
      modelkb ls --json --store s3://lab-experiments/modelkb
    """
    table = Store(store).experiment_table(project, order_by=list(order_by) or None, limit=limit)
    rows = table.to_pylist()
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo(f"No experiments{f' in project {project!r}' if project else ''} yet.")
        return
    print_experiments(rows)
