"""Finishing what died processes have left, when the store is opened next."""

from __future__ import annotations

import contextlib

from modelkb_store.commits.mending import mend
from modelkb_store.errors import ModelKBError
from modelkb_store.files.files import Files
from modelkb_store.log.claim import claimed, claimed_log
from modelkb_store.log.folding import fold
from modelkb_store.log.log_contents import read_heads
from modelkb_store.log.log_name import parse_segment


def recover(files: Files) -> None:
    """Fold the logs of processes that are dead, and clear up after replacements that were cut off.

    What cannot be done, as on a disk that is full or read-only, is left for the next time:
    readers understand what is there as it is.
    """
    with contextlib.suppress(OSError, ModelKBError):
        for log in read_heads(files):
            # One that cannot be folded, as beside a damaged file, keeps no other one waiting.
            with contextlib.suppress(OSError, ModelKBError):
                if log.is_over:
                    fold(files, log.name)
    with contextlib.suppress(OSError, ModelKBError):
        _release_claims(files)
    with contextlib.suppress(OSError, ModelKBError):
        mend(files)


def _release_claims(files: Files) -> None:
    """Delete claims to logs that are folded, of processes that died right after it."""
    infos = files.list("log")
    there = {parsed[0] for info in infos if (parsed := parse_segment(info.path))}
    for info in infos:
        name = claimed_log(info.path)
        if name is not None and name not in there:
            with claimed(files, name):
                pass
