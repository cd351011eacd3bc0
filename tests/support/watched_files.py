"""The files of a store that a process changes until it is killed, looked at after every change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from modelkb_store.files.local_files import LocalFiles


class Killed(BaseException):
    """The process has come to its end."""


class WatchedFiles(LocalFiles):
    """A folder in which every change is counted; after some number nothing is changed any more.

    Args:
        root: The folder.
        killed_after: How many changes are made; the next one raises, as does every later one, so
            that nothing is tidied up. Without it all are made.
        look: Called after every change.
    """

    def __init__(
        self,
        root: Path,
        *,
        killed_after: int | None = None,
        look: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(root)
        self.changes = 0
        self._killed_after = killed_after
        self._look = look

    def write(self, path: str, content: bytes | memoryview) -> None:
        self._before()
        super().write(path, content)
        self._after()

    def write_file(self, path: str, local: Path) -> None:
        self._before()
        super().write_file(path, local)
        self._after()

    def create(self, path: str, content: bytes) -> bool:
        self._before()
        made = super().create(path, content)
        self._after()
        return made

    def delete(self, path: str) -> None:
        self._before()
        super().delete(path)
        self._after()

    def _before(self) -> None:
        if self._killed_after is not None and self.changes >= self._killed_after:
            raise Killed

    def _after(self) -> None:
        self.changes += 1
        if self._look is not None:
            self._look()
