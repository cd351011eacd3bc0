"""``modelkb push``: experiments to another store."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from modelkb_store import Store
from modelkb_store.files.open_files import is_remote, open_files
from modelkb_store.layout import resolve_store_location
from modelkb_store.transfer.copy_target import open_target
from modelkb_store.transfer.spool import send_spool
from modelkb_viewer.copying import NOTHING_COPIED, copy
from modelkb_viewer.options import experiments_argument, json_option, project_option, store_option
from modelkb_viewer.printing import print_json


@click.command("push")
@click.argument("target", type=click.Path())
@experiments_argument()
@project_option()
@store_option
@json_option
def command(
    target: str, ids: tuple[str, ...], project: str | None, store: str | None, as_json: bool
) -> None:
    """Copy experiments to the store TARGET, with all that they refer to.

    Those that TARGET has already are left alone; those that have changed are copied again, tags
    and notes, too. What TARGET has got since of predictions and evaluations stays there. IDs
    are as for `show`; without any, all are copied. Runs that were recorded straight to
    TARGET, and could not be sent, are sent first. TARGET may be a server: https://host:port.

    Examples:
      modelkb push s3://lab-experiments/modelkb --project digits
      modelkb push https://lab.example:8601 9f1c2b7a4d
    """
    location = resolve_store_location(target)
    was_waiting, uri = send_spool(location), open_files(location).uri
    if was_waiting and not as_json:
        click.echo(f"What waited for {uri} is sent.")
    # What records to TARGET has nothing to copy there but what waited.
    is_same = resolve_store_location(store) == location
    has_source = store is not None or _has_store()
    if is_remote(location) and not ids and (is_same or not has_source):
        if as_json:
            print_json({**asdict(NOTHING_COPIED), "source": None, "target": uri})
        elif not was_waiting:
            click.echo(f"Nothing waits for {uri}.")
        return
    copy(Store(store), open_target(location), ids, project, as_json=as_json)


def _has_store() -> bool:
    location = resolve_store_location(None)
    return "://" in location or os.path.isdir(location)
