"""``modelkb delete``: experiments out of sight, and back again."""

from __future__ import annotations

import click

from modelkb_store import Store
from modelkb_store.experiment_ids import resolve_experiment_id
from modelkb_viewer.options import experiments_argument, json_option, store_option, yes_option
from modelkb_viewer.printing import print_json


@click.command("delete")
@experiments_argument()
@yes_option
@click.option(
    "--undo", is_flag=True, help="Bring deleted experiments back; without IDs, list them."
)
@store_option
@json_option
def command(ids: tuple[str, ...], yes: bool, undo: bool, store: str | None, as_json: bool) -> None:
    """Delete experiments: nobody sees them any more.

    IDs are as for `show`. Until `modelkb gc` is run they can be brought back with --undo, by their
    ids alone, and take as much space as before; --undo without an id lists them. An experiment
    that runs is not deleted.

    Examples:
      modelkb delete 9f1c2b7a4d 03d7a1f4c2
      modelkb delete 9f1c2b7a4d --yes
      modelkb delete --undo
      modelkb delete 9f1c2b7a4d --undo
    """
    if not (ids or undo):
        raise click.UsageError("Missing argument 'ID...'.")
    opened = Store(store)
    known = opened.backend.deleted() if undo else []
    if undo and not ids:
        _print_deleted(known, opened.uri, as_json=as_json)
        return
    if undo:
        whole = [resolve_experiment_id(each, known, [""] * len(known)) for each in ids]
    else:
        whole = [opened.experiment(each).id for each in ids]
    whole = list(dict.fromkeys(whole))
    if not (undo or yes):
        click.echo("\n".join(whole), err=True)
        what = f"Delete {'these' if len(whole) > 1 else 'this'} from {opened.uri}?"
        click.confirm(what, abort=True, err=True)
    for each in whole:
        (opened.backend.restore if undo else opened.backend.delete)(each)
    if as_json:
        print_json({"store": opened.uri, "restored" if undo else "deleted": whole})
        return
    many = f"{len(whole)} experiment{'s' * (len(whole) > 1)}"
    click.echo(f"{many} {'restored' if undo else 'deleted; `modelkb gc` frees the space'}.")


def _print_deleted(ids: list[str], uri: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"store": uri, "deleted": ids})
    else:
        click.echo("\n".join(ids) or "No experiment is deleted.")
