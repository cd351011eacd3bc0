"""The threads that merge files once runs have ended."""

from __future__ import annotations

import threading


def wait_for_tidying() -> None:
    """Wait for the threads that merge files after a run."""
    for thread in threading.enumerate():
        # One that is about to start cannot be joined; it is another writer's.
        if thread.name == "modelkb-compaction" and thread.is_alive():
            thread.join()
