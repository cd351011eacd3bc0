"""``modelkb import``: runs of other tools become experiments."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from modelkb_store.layout import resolve_store_location
from modelkb_store.project_names import project_folder
from modelkb_viewer.exchange.importing.importers import IMPORTERS, importer
from modelkb_viewer.exchange.importing.run_import import ImportOutcome, import_runs
from modelkb_viewer.options import json_option, project_option, store_option
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--from", "tool", type=click.Choice(sorted(IMPORTERS)), required=True, help="The other tool."
)
@project_option(
    "The project to put them into.  [default: MLflow's experiment, else the folder's name]"
)
@store_option
@json_option
def command(path: Path, tool: str, project: str | None, store: str | None, as_json: bool) -> None:
    """Make an experiment of each run that another tool has in PATH.

    PATH is a database or mlruns folder of MLflow, a log folder of TensorBoard, or a CSV file or a
    folder of these. Runs that are here already are left alone. PATH is only read, and nothing in
    it is executed.

    Exit codes:
      0  all that is there is imported
      1  a run is damaged, and left out or cut

    Examples:
      modelkb import mlruns --from mlflow
      modelkb import logs --from tensorboard --project digits
    """
    if project is not None:
        project_folder(project)  # before anything is read
    location = resolve_store_location(store)
    readers = importer(tool)(path, project)
    with progress_bar("Importing runs", shown=not as_json) as progress:
        outcome = import_runs(location, tool, readers, progress)
    if as_json:
        print_json({**asdict(outcome), "tool": tool, "store": location})
    else:
        _print(outcome, location)
    if outcome.damaged:
        sys.exit(1)


def _print(outcome: ImportOutcome, location: str) -> None:
    for sentence in (*outcome.damaged, *outcome.passed_over):
        click.echo(f"modelkb: {sentence}", err=True)
    many = len(outcome.new)
    text = f"{many} run{'s' * (many != 1)} imported into {location}"
    text += f"; {outcome.unchanged} were there already" if outcome.unchanged else ""
    if outcome.deleted:
        text += (
            f"; {len(outcome.deleted)} have been deleted here: `modelkb delete --undo "
            f"{outcome.deleted[0]}` brings one back"
        )
    click.echo(f"{text}.")
