"""What ``modelkb push`` and ``modelkb pull`` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from modelkb_store import Store
from modelkb_store.errors import InvalidSettingError
from modelkb_store.transfer.copy_target import CopyTarget
from modelkb_store.transfer.copying import Copied, copy_experiments
from modelkb_viewer.printing import print_json
from modelkb_viewer.progress import progress_bar

NOTHING_COPIED = Copied(new=(), changed=(), unchanged=0, running=(), object_bytes=0)


def copy(
    source: Store,
    target: CopyTarget,
    wanted: Sequence[str],
    project: str | None,
    *,
    as_json: bool,
) -> None:
    """Copy experiments and print what was done."""
    if source.uri == target.uri:
        raise InvalidSettingError("store", target.uri, "another store than the one to copy from")
    ids = [source.experiment(each).id for each in wanted] or None
    with progress_bar("Copying experiments", shown=not as_json) as progress:
        copied = copy_experiments(source.backend.tables, target, ids, project, progress)
    if as_json:
        print_json({**asdict(copied), "source": source.uri, "target": target.uri})
        return
    click.echo(_in_words(copied, target))


def _in_words(copied: Copied, target: CopyTarget) -> str:
    text = (
        f"{len(copied.new)} new and {len(copied.changed)} changed experiments are now in "
        f"{target.uri} ({copied.object_bytes:,} bytes of weights and files)"
    )
    text += f"; {copied.unchanged} were there already." if copied.unchanged else "."
    if copied.running:
        text += f" {len(copied.running)} are still running: copy them when they have ended."
    return text
