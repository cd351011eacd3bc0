"""Which files of the store turned out to be damaged; what they hold is left out of all pages."""

from __future__ import annotations

import threading
import time

from modelkb_store.errors import CorruptFileError

# What was not met for so long was mended, or is not read by what is shown now.
_SECONDS = 60.0


class DamagedFiles:
    """The damaged files that were met lately. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._met: dict[str, tuple[float, str]] = {}

    def note(self, error: CorruptFileError) -> None:
        """Note a file that could not be read."""
        with self._lock:
            self._met[str(error.path)] = (time.monotonic(), str(error))

    def met_lately(self) -> list[str]:
        """Return what is wrong with each file that was met lately, by path."""
        since = time.monotonic() - _SECONDS
        with self._lock:
            return [text for _, (when, text) in sorted(self._met.items()) if when >= since]


DAMAGED_FILES = DamagedFiles()
