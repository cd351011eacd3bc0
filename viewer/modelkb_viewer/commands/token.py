"""``modelkb token``: who may use a server of this store."""

from __future__ import annotations

import dataclasses

import click

from modelkb_store import Store
from modelkb_viewer.options import json_option, store_option
from modelkb_viewer.printing import moment, print_json, print_table
from modelkb_viewer.tokens import Scope, Token, Tokens


@click.group("token")
def command() -> None:
    """Make, list and revoke the tokens of a store's server.

    A server that others can reach needs one from everybody. It is sent as `Authorization: Bearer
    TOKEN`; programs of ModelKB take it from $MODELKB_TOKEN.
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
@click.option("--project", metavar="NAME", help="Only for this project's experiments.")
@store_option
@json_option
def create(name: str, scope: str, project: str | None, store: str | None, as_json: bool) -> None:
    """Make a token for NAME: a person or a machine. It is shown this once.

    Example: modelkb token create gpu-server --scope write
    """
    token, text = Tokens(Store(store).files).create(name, Scope(scope), project)
    if as_json:
        print_json({**_facts(token), "token": text})
        return
    click.echo(text)
    click.echo("Keep it now: it cannot be shown again.", err=True)


@command.command("list")
@store_option
@json_option
def list_tokens(store: str | None, as_json: bool) -> None:
    """List the tokens, oldest first; their texts are not kept.

    Example: modelkb token list
    """
    found = Tokens(Store(store).files).all()
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
@click.argument("token_id", metavar="ID")
@store_option
@json_option
def revoke(token_id: str, store: str | None, as_json: bool) -> None:
    """Make a token worthless, at once. ID is as in `modelkb token list`.

    Example: modelkb token revoke 9f1c2b7a4d
    """
    Tokens(Store(store).files).revoke(token_id)
    if as_json:
        print_json({"revoked": token_id})
    else:
        click.echo(f"The token {token_id} is worth nothing any more.")


def _facts(token: Token) -> dict[str, object]:
    return {**dataclasses.asdict(token), "scope": token.scope.value}
