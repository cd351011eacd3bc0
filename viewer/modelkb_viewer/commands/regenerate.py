"""``modelkb regenerate``: the script of an experiment, written again from its metadata."""

from __future__ import annotations

from pathlib import Path

import click

from modelkb_store import Store
from modelkb_store.codegen.script import FORMATS, save_script, shown_script
from modelkb_viewer.options import (
    experiment_argument,
    json_option,
    output_option,
    store_option,
)
from modelkb_viewer.printing import print_json

_FOLDER_FORMAT = "repo"


@click.command("regenerate")
@experiment_argument
@output_option("Where to write it; for repo, a folder.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="A script, a notebook, or a folder that runs elsewhere.",
)
@click.option(
    "--target",
    type=click.Choice(["keras"]),
    default="keras",
    show_default=True,
    help="What it is written for; whole trainings are for Keras only.",
)
@store_option
@json_option
def command(
    experiment_id: str,
    output: str | None,
    kind: str,
    target: str,
    store: str | None,
    as_json: bool,
) -> None:
    """Write the script of an experiment: its data, model, training and evaluation.

    It starts where the run started, and gives the same curves. Its head says what was not
    recorded. Without -o it is printed.

    Examples:
      modelkb regenerate 9f1c2b7a4d
      modelkb regenerate 9f1c2b7a4d -o train_again.py
      modelkb regenerate 9f1c2b7a4d --format repo -o digits
    """
    experiment = Store(store).experiment(experiment_id)
    if output is None:
        if kind == _FOLDER_FORMAT:
            raise click.UsageError("A folder cannot be printed: name it with -o FOLDER.")
        shown = shown_script(experiment, kind)
        if as_json:
            facts = {"script": shown.text, "missing": shown.missing, "needs": shown.companions}
            print_json({"experiment_id": experiment.id, "format": kind, **facts})
            return
        click.echo(shown.text, nl=False)
        if shown.companions:
            names = " and ".join(shown.companions)
            click.echo(f"It needs {names} beside it, which -o FILE writes as well.", err=True)
        return
    files = [str(path) for path in save_script(experiment, Path(output), kind)]
    if as_json:
        print_json({"experiment_id": experiment.id, "format": kind, "files": files})
        return
    click.echo("\n".join(files))
