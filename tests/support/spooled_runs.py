"""Runs that a process has recorded for a server which it never reached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modelkb_store.transfer.spool import spool_folder

_SUPPORT = Path(__file__).parent
_RECORD = """
import os, sys
from small_experiment import record_complete_experiment
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    record_complete_experiment(sys.argv[1], "digits", number)
os._exit(9)
"""


def spooled_runs(address: str, root: Path, first: int, count: int) -> Path:
    """Record complete runs in a process that is killed then, and return its spool's folder.

    Args:
        address: The server.
        root: Where spools are.
        first: The number of the first run.
        count: How many.
    """
    environment = {**os.environ, "MODELKB_SPOOL": str(root)}
    line = [sys.executable, "-c", _RECORD, address, str(first), str(first + count)]
    ended = subprocess.run(line, cwd=_SUPPORT, env=environment, timeout=120, check=False)
    assert ended.returncode == 9
    return spool_folder(address, {"MODELKB_SPOOL": str(root)})
