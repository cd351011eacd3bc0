"""``modelkb code``: the code of a model."""

from __future__ import annotations

from pathlib import Path

import click

from modelkb_store.codegen import generate_code, read_description
from modelkb_store.codegen.description import ModelDescription
from modelkb_store.store import Store
from modelkb_viewer.completing import experiments_or_files
from modelkb_viewer.options import json_option, output_option, store_option
from modelkb_viewer.printing import print_json


@click.command("code")
@click.argument("model", metavar="FILE|ID", shell_complete=experiments_or_files)
@output_option("The file to write.")
@click.option("--target", default="keras", show_default=True, help="keras, torch, or another one.")
@click.option(
    "--applications",
    is_flag=True,
    help="Write a model of keras.applications as one call, where it is exactly that.",
)
@store_option
@json_option
def command(
    model: str,
    output: str | None,
    target: str,
    applications: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Write the code of a model, with a function that builds it.

    The model is that of a file (.h5, .keras, or .json of model.to_json), or of an experiment.
    Nothing in a file is executed.

    Examples:
      modelkb code model.keras
      modelkb code 9f1c2b7a4d --target torch -o digits.py
    """
    options = {"applications": True} if applications else {}
    code = generate_code(_description(model, store), target, options)
    if output is not None:
        Path(output).write_text(code, encoding="utf-8")
    if as_json:
        print_json({"model": model, "target": target, "code": code, "file": output})
    elif output is None:
        click.echo(code, nl=False)


def _description(model: str, store: str | None) -> ModelDescription:
    if Path(model).suffix or Path(model).exists():
        return read_description(model)
    return Store(store).experiment(model).description()
