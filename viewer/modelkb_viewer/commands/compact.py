"""``modelkb compact``: few large files instead of many small ones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import click

from modelkb_store import Store
from modelkb_store.commits.compaction import compact
from modelkb_store.upkeep.collection import GRACE_SECONDS
from modelkb_store.upkeep.pack_merging import delete_unused_packs, merge_packs
from modelkb_viewer.options import json_option, store_files_option
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar


@click.command("compact")
@store_files_option
@json_option
def command(store: str | None, as_json: bool) -> None:
    """Merge the small files of a store into large ones, which are read faster.

    This happens by itself as runs end; do it by hand after very many short ones. Runs may go on
    meanwhile. Packs of weights of the last hour are left as they are.

    Examples:
      modelkb compact
      modelkb compact --store /data/modelkb --json
    """
    opened = Store(store)
    with progress_bar("Merging tables", shown=not as_json) as progress:
        fewer = compact(opened.files, progress)
    cutoff = datetime.now(timezone.utc) - timedelta(seconds=GRACE_SECONDS)
    merged = merge_packs(opened.files, cutoff)
    deleted = len(delete_unused_packs(opened.files, cutoff)) if merged else 0
    if as_json:
        facts = {"files_fewer": fewer, "packs_merged": merged, "packs_deleted": deleted}
        print_json({"store": opened.uri, **facts})
        return
    click.echo(f"{fewer} files fewer in {opened.uri}; {merged} packs of weights merged.")
