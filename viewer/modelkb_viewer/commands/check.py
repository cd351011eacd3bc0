"""``modelkb check``: whether a store is whole, and its repair."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from modelkb_store.files.open_files import open_files
from modelkb_store.layout import resolve_store_location
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.finding import Finding
from modelkb_viewer.options import json_option, store_files_option
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar


@click.command("check")
@click.option("--repair", "repairs", is_flag=True, help="Mend what is found, and check again.")
@store_files_option
@json_option
def command(repairs: bool, store: str | None, as_json: bool) -> None:
    """Check every file, hash and reference of a store.

    Runs may go on meanwhile. With --repair, what is broken is moved to the folder set-aside of the
    store and never deleted; what can be made anew is, and experiments note what they have lost.

    Exit codes:
      0  all is well
      1  something is wrong, or is still wrong after --repair

    Examples:
      modelkb check
      modelkb check --repair --store s3://lab-experiments/modelkb
    """
    files = open_files(resolve_store_location(store))
    done: list[str] = []
    if repairs:
        # Inside: most only look.
        from modelkb_store.upkeep.repairing import repair

        with progress_bar("Repairing", shown=not as_json) as progress:
            done = repair(files, progress)
    with progress_bar("Checking files", shown=not as_json) as progress:
        found = check(files, progress)
    if as_json:
        print_json({"store": files.uri, "repaired": done, "findings": list(map(_plain, found))})
    else:
        _print(found, done, files.uri)
    sys.exit(1 if found else 0)


def _plain(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "kind": finding.kind.value}


def _print(found: list[Finding], done: list[str], uri: str) -> None:
    for sentence in done:
        click.echo(f"Repaired: {sentence}.")
    for finding in found:
        click.echo(f"{finding.path}: {finding.problem}.")
        click.echo(f"  What can be done: {finding.remedy}.")
    if found:
        click.echo(f"{len(found)} thing{'s' * (len(found) > 1)} wrong in {uri}.")
    else:
        click.echo(f"{uri} is whole.")
