"""One process at a time folds a log."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import PurePosixPath

from modelkb_store.files.files import FileInfo, Files
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity

# For a claim that was not written whole.
_GIVEN_UP_AFTER_SECONDS = 60.0
_SUFFIX = ".claim"


@contextlib.contextmanager
def claimed(files: Files, name: LogName) -> Iterator[bool]:
    """Claim a log for the block.

    A claim whose process is dead is not taken away, which two could do at once: the next number
    is claimed, and of those who try one succeeds. Whoever comes late, when all is done and the
    claims are gone, may still be told that the log is theirs: look whether it is there.

    Yields:
        Whether it is claimed; not, if a process that runs has done so already.
    """
    earlier = _claims_of(files, name)
    number = 0
    if earlier:
        number, last = max(earlier.items())
        number = number + 1 if is_abandoned(files, last) else -1
    path = _path(name, number)
    content = json.dumps(ProcessIdentity.of_this_process().as_columns()).encode()
    is_mine = number >= 0 and files.create(path, content)
    try:
        yield is_mine
    finally:
        if is_mine:
            # The oldest first: one that is left alone must not look like the newest.
            for _, info in sorted(earlier.items()):
                files.delete(info.path)
            files.delete(path)


def claimed_log(path: str) -> LogName | None:
    """Return the log that a file claims; None for a file that is no claim."""
    claim = PurePosixPath(path)
    if claim.suffix != _SUFFIX:
        return None
    return LogName(claim.parent.name, claim.name.partition(".")[0])


def _path(name: LogName, number: int) -> str:
    numbered = f".{number}" if number else ""
    return f"log/{name.project_folder}/{name.log_id}{numbered}{_SUFFIX}"


def _claims_of(files: Files, name: LogName) -> dict[int, FileInfo]:
    """Return the claims on a log by their number."""
    claims = {}
    for info in files.list("log"):
        if claimed_log(info.path) == name:
            number = PurePosixPath(info.path).stem.partition(".")[2]
            claims[int(number) if number.isdigit() else 0] = info
    return claims


def is_abandoned(files: Files, claim: FileInfo) -> bool:
    """Return whether the process that made a claim is dead."""
    try:
        owner = ProcessIdentity.from_columns(json.loads(files.read(claim.path)))
    except FileNotFoundError:
        return False  # done just now
    except (ValueError, TypeError, AttributeError):
        age = (datetime.now(timezone.utc) - claim.modified).total_seconds()
        return age > _GIVEN_UP_AFTER_SECONDS
    return not owner.is_alive(claim.modified.timestamp())
