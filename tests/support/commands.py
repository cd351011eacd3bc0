"""Running scripts as a user does, with and without ``modelkb run``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

# They begin with a level and the time.
_CHATTER = re.compile(r"WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:|To enable the ")
MODELKB = [sys.executable, "-c", "from modelkb_viewer.main import main; main()"]


def python(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python with a script, as without ModelKB."""
    return _ended([sys.executable, *map(str, arguments)], **options)


def modelkb_run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``modelkb run``."""
    return _ended([*MODELKB, "run", *map(str, arguments)], **options)


def script_of(folder: Path, text: str, name: str = "train.py") -> Path:
    """Write a script."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def errors_of(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what a process wrote to its standard error, without TensorFlow's start-up lines."""
    return [line for line in ended.stderr.splitlines() if not _CHATTER.match(line)]


def _ended(
    line: list[str], environment: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, **(environment or {})},
        **options,
    )
