"""``modelkb export``: experiments in the form of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from modelkb_store import Store
from modelkb_viewer.exchange.exporting.exported import Exported
from modelkb_viewer.exchange.exporting.exporters import (
    EXPORTERS,
    OF_ONE_MODEL,
    WITHOUT_WEIGHTS,
    exporter,
)
from modelkb_viewer.options import (
    experiments_argument,
    json_option,
    output_option,
    project_option,
    store_option,
)
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar


@click.command("export")
@experiments_argument()
@click.option(
    "--to", "tool", type=click.Choice(sorted(EXPORTERS)), required=True, help="The other tool."
)
@output_option(
    "The file or folder to write; for mlflow a database (.db) or a server, too.",
    metavar="PATH",
    required=True,
)
@project_option("All experiments of this project.")
@click.option(
    "--checkpoint",
    metavar="NAME",
    help="Whose weights: end, best, initial, or the number of an epoch.",
)
@store_option
@json_option
def command(
    ids: tuple[str, ...],
    tool: str,
    output: str,
    project: str | None,
    checkpoint: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Write experiments as another tool has them, for use without ModelKB.

    IDs are as for `show`. keras, onnx and savedmodel take the model of one experiment; the others
    take the curves and hyperparameters of as many as you like. No recorded code is run, and
    nothing is sent anywhere, unless PATH is the address of a server.

    Examples:
      modelkb export 9f1c2b7a4d --to onnx -o digits.onnx
      modelkb export --project digits --to mlflow -o mlflow.db
      modelkb export 9f1c2b7a4d 03d7a1f4c2 --to tensorboard -o logs
    """
    opened = Store(store)
    wanted = [opened.experiment(each).id for each in ids]
    if project is not None:
        wanted += opened.experiment_ids(project)
    wanted = list(dict.fromkeys(wanted))
    if not ids and project is None:
        raise click.UsageError("Say which experiments: one ID or more, or --project NAME.")
    if tool in OF_ONE_MODEL and len(wanted) != 1:
        raise click.UsageError(f"{tool} takes one experiment, and {len(wanted)} are named.")
    if tool in WITHOUT_WEIGHTS and checkpoint is not None:
        raise click.UsageError(f"{tool} has no weights: leave --checkpoint out.")
    write, done = exporter(tool), []
    with progress_bar("Exporting experiments", shown=not as_json) as progress:
        for number, each in enumerate(wanted):
            progress(number, len(wanted))
            done.append(write(opened.experiment(each), output, _checkpoint(checkpoint)))
    if as_json:
        print_json({"tool": tool, "exported": [asdict(each) for each in done]})
        return
    _print(done, output)


def _checkpoint(wanted: str | None) -> str | int | None:
    return int(wanted) if wanted is not None and wanted.isdecimal() else wanted


def _print(done: Sequence[Exported], output: str) -> None:
    for each in done:
        for sentence in each.left_out:
            click.echo(f"{each.experiment_id}: {sentence}", err=True)
    there = sum(each.was_there for each in done)
    place = done[0].place if len(done) == 1 else output
    many = f"{len(done) - there} experiment{'s' * (len(done) - there != 1)}"
    click.echo(f"{many} exported to {place}{f'; {there} there already' if there else ''}.")
