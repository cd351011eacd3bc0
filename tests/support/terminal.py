"""Running a program on a terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence

_TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "160", "LINES": "40"}
_ABOUT_COLOURS = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE")


def on_terminal(
    line: Sequence[str], environment: Mapping[str, str], *, output: bool = True
) -> tuple[int, str]:
    """Run a program whose standard error, and output, are a terminal.

    Args:
        line: The command line.
        environment: What is set besides the present environment.
        output: Whether its standard output is the terminal as well; else nobody reads it.

    Returns:
        Its exit code, and what the terminal got.
    """
    import pty  # inside: Windows has none

    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in _ABOUT_COLOURS}
    with subprocess.Popen(
        line,
        stdin=subprocess.DEVNULL,
        stdout=theirs if output else subprocess.DEVNULL,
        stderr=theirs,
        env={**kept, **_TERMINAL, **environment},
    ) as process:
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # Linux' way to say that the other end is closed
            while piece := os.read(ours, 65536):
                told += piece
        os.close(ours)
        return process.wait(60), told.decode()
