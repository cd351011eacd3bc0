"""What is different between the scripts that two experiments are written again as."""

from __future__ import annotations

import difflib


def script_difference(first: str, second: str, names: tuple[str, str]) -> str:
    """Return a unified diff; empty if the scripts are the same.

    Args:
        first: The script of the first experiment.
        second: That of the second.
        names: What stands at the head of the difference.
    """
    lines = difflib.unified_diff(
        first.splitlines(), second.splitlines(), names[0], names[1], lineterm=""
    )
    return "\n".join(lines)
