"""``modelkb token``: who may use a server of this store."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import click

from modelkb_store.errors import NotOverServerError
from modelkb_store.files.files import Files
from modelkb_store.files.open_files import is_server, open_files
from modelkb_store.layout import check_store, create_store, resolve_store_location
from modelkb_viewer.completing import tokens as complete
from modelkb_viewer.options import json_option, project_option, store_files_option
from modelkb_viewer.printing import moment, print_json, print_table
from modelkb_viewer.tokens import Scope, Token, Tokens


@click.group("token")
def command() -> None:
    """Make, list and revoke the tokens of a store's server.

    A server that others can reach needs one from everybody. It is sent as `Authorization: Bearer
    TOKEN`; programs of ModelKB take it from $MODELKB_TOKEN.

    Examples:
      modelkb token create gpu-server --scope write
      modelkb token list
    """


@command.command("create")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.READ.value,
    show_default=True,
    help="What it allows: to read; to record and edit, too; to make tokens, too.",
)
@project_option("Only for this project's experiments.")
@store_files_option
@json_option
def create(name: str, scope: str, project: str | None, store: str | None, as_json: bool) -> None:
    """Make a token for NAME: a person or a machine. It is shown this once.

    The store is made if it is not there: its server may need a token to begin with.

    Examples:
      modelkb token create gpu-server --scope write
      modelkb token create notebook --project digits --store /data/modelkb
    """
    token, text = _tokens(store, open_store=create_store).create(name, Scope(scope), project)
    if as_json:
        print_json({**_facts(token), "token": text})
        return
    click.echo(text)
    click.echo("Keep it now: it cannot be shown again.", err=True)


@command.command("list")
@store_files_option
@json_option
def list_tokens(store: str | None, as_json: bool) -> None:
    """List the tokens, oldest first; their texts are not kept.

    Examples:
      modelkb token list
    """
    found = _tokens(store).all()
    if as_json:
        print_json([_facts(token) for token in found])
    elif found:
        rows = [
            [
                each.token_id,
                each.name,
                each.scope.value,
                each.project or "all",
                moment(each.created_at),
            ]
            for each in found
        ]
        print_table(["id", "name", "scope", "project", "created"], rows)
    else:
        click.echo("There are no tokens. `modelkb token create NAME` makes one.")


@command.command("revoke")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=complete)
@store_files_option
@json_option
def revoke(ids: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Make tokens worthless, at once. IDs are as in `modelkb token list`.

    Examples:
      modelkb token revoke 9f1c2b7a4d
    """
    tokens = _tokens(store)
    for token_id in ids:
        tokens.revoke(token_id)
    if as_json:
        print_json({"revoked": ids})
        return
    for token_id in ids:
        click.echo(f"The token {token_id} is worth nothing any more.")


def _tokens(store: str | None, open_store: Callable[[Files], object] = check_store) -> Tokens:
    """Open the tokens of a store, which are read without what tables need."""
    location = resolve_store_location(store)
    files = open_files(location)
    if is_server(location):
        raise NotOverServerError(files.uri, "Governing tokens")
    open_store(files)
    return Tokens(files)


def _facts(token: Token) -> dict[str, object]:
    return {**dataclasses.asdict(token), "scope": token.scope.value}
