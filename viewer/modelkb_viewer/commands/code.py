"""``modelkb code``: the code of a model."""

from __future__ import annotations

from pathlib import Path

import click

from modelkb_store.codegen import generate_code, read_description
from modelkb_store.codegen.description import ModelDescription
from modelkb_store.store import Store
from modelkb_viewer.options import store_option


@click.command("code")
@click.argument("model", metavar="FILE|ID")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
@click.option("--target", default="keras", show_default=True, help="keras, torch, or another one.")
@click.option(
    "--applications",
    is_flag=True,
    help="Write a model of keras.applications as one call, where it is exactly that.",
)
@store_option
def command(
    model: str, output: Path | None, target: str, applications: bool, store: str | None
) -> None:
    """Write the code of a model, with a function that builds it.

    The model is that of a file (.h5, .keras, or .json of model.to_json), or of an experiment.
    Nothing in a file is executed.

    Example: modelkb code model.keras
    """
    options = {"applications": True} if applications else {}
    code = generate_code(_description(model, store), target, options)
    if output is None:
        click.echo(code, nl=False)
    else:
        output.write_text(code, encoding="utf-8")


def _description(model: str, store: str | None) -> ModelDescription:
    if Path(model).suffix or Path(model).exists():
        return read_description(model)
    return Store(store).experiment(model).description()
