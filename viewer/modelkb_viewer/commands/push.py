"""``modelkb push``: experiments to another store."""

from __future__ import annotations

import os

import click

from modelkb_store import Store
from modelkb_store.files.open_files import open_files
from modelkb_store.layout import resolve_store_location
from modelkb_store.transfer.copy_target import open_target
from modelkb_store.transfer.spool import send_spool
from modelkb_viewer.copying import copy
from modelkb_viewer.options import json_option, store_option


@click.command("push")
@click.argument("target")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--project", metavar="NAME", help="Only this project's experiments.")
@store_option
@json_option
def command(
    target: str, ids: tuple[str, ...], project: str | None, store: str | None, as_json: bool
) -> None:
    """Copy experiments to the store TARGET, with all that they refer to.

    Those that TARGET has already are left alone; those that have changed are copied again. IDs
    are as for `show`; without any, all are copied. Runs that were recorded straight to
    TARGET, and could not be sent, are sent first. TARGET may be a server: https://host:port.

    Example: modelkb push s3://lab-experiments/modelkb --project digits
    """
    location = resolve_store_location(target)
    if send_spool(location) and not ids and not _has_store(store):
        click.echo(f"What waited for {open_files(location).uri} is sent.")
        return
    copy(Store(store), open_target(location), ids, project, as_json=as_json)


def _has_store(store: str | None) -> bool:
    location = resolve_store_location(store)
    return "://" in location or os.path.isdir(location)
