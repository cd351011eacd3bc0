"""Making an object only if it is not there, on object stores that cannot promise it."""

from __future__ import annotations

import contextlib
import secrets
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from modelkb_store.errors import StoreUnreachableError

if TYPE_CHECKING:
    from modelkb_store.files.object_files import ObjectFiles

_DEAD_AFTER = timedelta(minutes=10)
# How long a claim is trusted by its owner: far from when others may call it dead.
_TRUSTED_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_ID_LENGTH = 32


class Claims:
    """Makes files that are not there; pyarrow cannot ask S3 or GCS for it.

    Everybody who wants the file

    1. writes a claim, a hidden object beside the file with a name of its own,
    2. then lists the claims, and goes on only if there is no other,
    3. then looks whether the file is there, and goes on only if not,
    4. writes the file, and only then removes the claim.

    Who does not get that far removes the claim and, unless the file is there, begins again
    after a time by chance.

    Two cannot both write: of their claims one, A's, was written before the other, B's. B has
    listed after writing its own, thus after A wrote, and as listings are up to date has seen A's
    claim, unless A had removed it already. But A removes it after writing the file, so that B,
    who looks for the file after listing, finds it.

    A claim of somebody who died would be in the way for good: one that is ten minutes older
    than one's own, by the clock of the server, does not count. Its owner would have to sleep
    for so long between two steps; who has slept for a minute begins again instead.

    Args:
        files: The object store. Its listings must be up to date.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        # Of attempts that the network broke off before they wrote the file.
        self._left_over: set[str] = set()

    def create(self, path: str, content: bytes) -> bool:
        """Return whether the file was made; False if it is there.

        Raises:
            StoreUnreachableError: Whether it was made is not known.
        """
        for claim in tuple(self._left_over):
            self._withdraw(claim)
        longest = _FIRST_PAUSE_SECONDS
        while not self._files.exists(path):
            if self._attempt(path, content):
                return True
            time.sleep(longest * (0.1 + 0.9 * secrets.randbelow(1000) / 1000))
            longest = min(2 * longest, _LONGEST_PAUSE_SECONDS)
        return False

    def _attempt(self, path: str, content: bytes) -> bool:
        claim = f"{_prefix(path)}{uuid.uuid4().hex}"
        begun = time.time()
        try:
            self._files.write(claim, b"")
            dead = self._dead_claims(path, claim)
            lost = dead is None or self._files.exists(path)
        except BaseException:
            self._left_over.add(claim)
            raise
        if dead is None or lost or abs(time.time() - begun) > _TRUSTED_SECONDS:
            self._withdraw(claim)
            return False
        # If this fails, the claim stays: the content may still be on its way, and must not
        # arrive after that of somebody else.
        self._files.write(path, content)
        for each in (claim, *dead):
            with contextlib.suppress(StoreUnreachableError):  # the file is there: this counts
                self._withdraw(each)
        return True

    def _withdraw(self, claim: str) -> None:
        try:
            self._files.delete(claim)
        except BaseException:
            self._left_over.add(claim)
            raise
        self._left_over.discard(claim)

    def _dead_claims(self, path: str, mine: str) -> list[str] | None:
        """Return the claims that do not count any more; None if another one counts."""
        prefix = _prefix(path)
        claims = {
            info.path: info.modified
            for info in self._files.hidden(path.rpartition("/")[0])
            if info.path.startswith(prefix) and len(info.path) == len(prefix) + _ID_LENGTH
        }
        made = claims.pop(mine, None)
        if made is None or any(made - other < _DEAD_AFTER for other in claims.values()):
            return None
        return list(claims)


def _prefix(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.claim-"
