"""Which process writes a log, and whether it still runs."""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Without a sign for longer than this, a process elsewhere counts as dead. Its log is touched
# every ten seconds; a network file system may show that half a minute late.
SILENCE_SECONDS = 120.0
# How far two readings of one process' start may lie apart: the clock may have been set.
_SET_CLOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process as others can recognize it.

    Attributes:
        machine: Network name, boot and process namespace: where process ids mean the same.
        process_id: The operating system's number.
        started: When the process began, in seconds since 1970: ids are used again.
    """

    machine: str
    process_id: int
    started: float

    @classmethod
    def of_this_process(cls) -> ProcessIdentity:
        """Return the identity of the process that asks."""
        return cls(this_machine(), os.getpid(), _start_of(os.getpid()) or 0.0)

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> ProcessIdentity:
        """Return what :meth:`as_columns` gave."""
        return cls(
            str(columns.get("machine")),
            int(columns.get("process_id") or 0),
            float(columns.get("started") or 0.0),
        )

    def as_columns(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)

    def is_alive(self, last_sign: float) -> bool:
        """Return whether the process runs.

        Args:
            last_sign: When it wrote last, in seconds since 1970. It decides where the process
                itself cannot be looked up, which is on another machine.
        """
        if self.machine != this_machine():
            return time.time() - last_sign < SILENCE_SECONDS
        started = _start_of(self.process_id)
        return started is not None and abs(started - self.started) < _SET_CLOCK_SECONDS


@functools.cache
def this_machine() -> str:
    """Return a name for where process ids are ours: another boot or container is another."""
    return ":".join(filter(None, [platform.node(), _boot_id(), _process_namespace()]))


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return ""


def _process_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _start_of(process_id: int) -> float | None:
    """Return when a process began; None if there is none, or only what is left of one."""
    import psutil

    try:
        process = psutil.Process(process_id)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None
