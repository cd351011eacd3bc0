"""``modelkb pull``: experiments from another store."""

from __future__ import annotations

import click

from modelkb_store import Store
from modelkb_store.layout import resolve_store_location
from modelkb_store.transfer.copy_target import open_target
from modelkb_viewer.copying import copy
from modelkb_viewer.options import experiments_argument, json_option, project_option, store_option


@click.command("pull")
@click.argument("source", type=click.Path())
@experiments_argument()
@project_option()
@store_option
@json_option
def command(
    source: str, ids: tuple[str, ...], project: str | None, store: str | None, as_json: bool
) -> None:
    """Copy experiments from the store SOURCE, with all that they refer to.

    Those that are here already are left alone; those that have changed are copied again, tags
    and notes, too. What has come here since of predictions and evaluations stays. IDs are as for
    `show`; without any, all are copied.

    Examples:
      modelkb pull s3://lab-experiments/modelkb
      modelkb pull https://lab.example:8601 9f1c2b7a4d
    """
    target = open_target(resolve_store_location(store))
    copy(Store(source), target, ids, project, as_json=as_json)
