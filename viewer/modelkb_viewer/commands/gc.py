"""``modelkb gc``: the space of deleted experiments back."""

from __future__ import annotations

import re
from dataclasses import asdict

import click

from modelkb_store import Store
from modelkb_store.upkeep.collection import Collected, collect, collectable
from modelkb_viewer.options import json_option, store_files_option
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def _seconds(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """Return a time such as ``90m`` in seconds."""
    match = _SPAN.fullmatch(value.strip())
    if match is None:
        message = f"{value!r} is not a time such as 30s, 90m, 1h or 2d"
        raise click.BadParameter(message, context, parameter)
    return float(match[1]) * _SECONDS[match[2]]


@click.command("gc")
@click.option(
    "--grace",
    metavar="TIME",
    callback=_seconds,
    default="1h",
    show_default=True,
    help="Leave alone what is younger: 30s, 90m, 1h, 2d.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@store_files_option
@json_option
def command(grace: float, dry_run: bool, store: str | None, as_json: bool) -> None:
    """Remove for good what deleted experiments have left, and what nothing refers to.

    Runs may go on meanwhile; do not run it while experiments are copied into the same store. In
    a bucket weights stay, as machines that record into it rely on them.

    Examples:
      modelkb gc --dry-run
      modelkb gc --grace 2h
    """
    opened = Store(store)
    if dry_run:
        collected = collectable(opened.files, grace_seconds=grace)
    else:
        with progress_bar("Collecting", shown=not as_json) as progress:
            collected = collect(opened.files, grace_seconds=grace, progress=progress)
    if as_json:
        print_json({"store": opened.uri, "dry_run": dry_run, **asdict(collected)})
        return
    click.echo(_in_words(collected, "would be removed" if dry_run else "removed"))


def _in_words(collected: Collected, removed: str) -> str:
    text = (
        f"{len(collected.experiments)} experiments, {collected.rows} shared rows and "
        f"{collected.objects} files ({collected.object_bytes:,} bytes) {removed}"
    )
    merged = f"; {collected.merged_packs} packs of weights merged"
    return f"{text}{merged if collected.merged_packs else ''}."
