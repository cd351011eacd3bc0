"""One process at a time folds a log."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from datetime import datetime, timezone

from modelkb_store.files.files import Files
from modelkb_store.log.log_name import LogName
from modelkb_store.log.process_identity import ProcessIdentity

# For a claim that was not written whole.
_GIVEN_UP_AFTER_SECONDS = 60.0
# Far longer than from a look at a claim to its deletion.
_TAKING_OVER_SECONDS = 0.2


@contextlib.contextmanager
def claimed(files: Files, name: LogName) -> Iterator[bool]:
    """Claim a log for the block.

    Yields:
        Whether it is claimed; not, if a process that runs has done so already. A claim whose
        process is dead is taken over.
    """
    path = f"log/{name.project_folder}/{name.log_id}.claim"
    facts = {**ProcessIdentity.of_this_process().as_columns(), "token": secrets.token_hex(8)}
    content = json.dumps(facts).encode()
    is_mine = files.create(path, content)
    if not is_mine and _is_abandoned(files, path):
        files.delete(path)
        is_mine = files.create(path, content) and _is_still(files, path, content)
    try:
        yield is_mine
    finally:
        if is_mine:
            files.delete(path)


def _is_still(files: Files, path: str, content: bytes) -> bool:
    """Return whether nobody else, who found the same claim abandoned, has taken it over, too."""
    time.sleep(_TAKING_OVER_SECONDS)
    try:
        return files.read(path) == content
    except FileNotFoundError:
        return False


def _is_abandoned(files: Files, path: str) -> bool:
    info = next((each for each in files.list("log") if each.path == path), None)
    if info is None:
        return True
    try:
        owner = ProcessIdentity.from_columns(json.loads(files.read(path)))
    except FileNotFoundError:
        return True
    except (ValueError, TypeError, AttributeError):
        age = (datetime.now(timezone.utc) - info.modified).total_seconds()
        return age > _GIVEN_UP_AFTER_SECONDS
    return not owner.is_alive(info.modified.timestamp())
