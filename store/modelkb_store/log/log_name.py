"""How logs are called, and with them the Parquet files that are written from them."""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath

_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True, order=True)
class LogName:
    """A log: that of a running experiment has its id, a later one some digits more.

    Attributes:
        project_folder: As in the folder's name (``project=digits``).
        log_id: The experiment's id, or that and ``-`` and ten hexadecimal digits.
    """

    project_folder: str
    log_id: str

    @classmethod
    def further(cls, project_folder: str, experiment_id: str) -> LogName:
        """Return a new name for what an experiment is told when its first log is folded."""
        return cls(project_folder, f"{experiment_id}-{secrets.token_hex(5)}")

    def segment(self, number: int) -> str:
        """Return the path of a segment, from the store's folder."""
        return f"log/{self.project_folder}/{self.stem(number)}{_SUFFIX}"

    def stem(self, number: int) -> str:
        """Return how the Parquet files with the rows of a segment are called."""
        return f"{self.log_id}-{number:04d}"


@functools.lru_cache(maxsize=4096)  # readers ask for the same ones again and again
def parse_segment(path: str) -> tuple[LogName, int] | None:
    """Return the log and number of a segment's path; None for another file."""
    parts = PurePosixPath(path)
    log_id, dash, number = parts.name.removesuffix(_SUFFIX).rpartition("-")
    if parts.suffix != _SUFFIX or not dash or not number.isdigit():
        return None
    return LogName(parts.parent.name, log_id), int(number)
