"""``modelkb ls``: the experiments of a store."""

from __future__ import annotations

import click

from modelkb_store import Store
from modelkb_viewer.experiment_list import print_experiments
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import print_json


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
    print_experiments(rows)
