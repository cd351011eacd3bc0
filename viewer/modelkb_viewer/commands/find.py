"""``modelkb find``: the experiments for which something holds."""

from __future__ import annotations

import click

from modelkb_store import Store
from modelkb_viewer.experiment_list import print_experiments
from modelkb_viewer.options import json_option, order_options, project_option, store_option
from modelkb_viewer.printing import print_json


@click.command("find")
@click.argument("where")
@project_option()
@order_options
@store_option
@json_option
def command(
    where: str,
    project: str | None,
    order_by: tuple[str, ...],
    limit: int | None,
    store: str | None,
    as_json: bool,
) -> None:
    """List the experiments for which WHERE holds.

    WHERE is in the query language of docs/queries.md: about hyperparameters, metrics, tags,
    dates, and about the structure of the model.

    Examples:
      modelkb find "metrics.val_accuracy > 0.9 and has(Conv2D -> BatchNormalization)"
      modelkb find "status = 'finished'" --order-by=-metrics.val_accuracy --limit 5
    """
    table = Store(store).experiment_table(
        project, where=where, order_by=list(order_by) or None, limit=limit
    )
    rows = table.to_pylist()
    if as_json:
        print_json(rows)
    elif rows:
        print_experiments(rows)
    else:
        click.echo("No experiment is like that.")
