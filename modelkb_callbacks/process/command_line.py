"""How the process was started."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import PurePath

from modelkb_callbacks.credentials import NAME, REDACTED
from modelkb_callbacks.redacted_text import redacted_text

_LONGEST_WORD = 10_000  # characters; `python -c` takes whole programs
_ASSIGNMENT = re.compile(r"(?P<name>[\w.-]+)=(?P<value>.*)", re.DOTALL)
_USER_AND_PASSWORD = re.compile(r"[^:\s]+:[^:\s]+")
_NOTEBOOK_KERNEL = re.compile(r"ipykernel|colab_kernel|ipython", re.IGNORECASE)


def command_line() -> tuple[str, ...] | None:
    """Return the words of the command, without what looks like a credential.

    Returns:
        The interpreter's name without its folder, its options, the script and the script's
        arguments; None in a notebook and at an interactive prompt, where there is no command
        that says what runs.

    Example:
        >>> command_line()
        ('python', 'train.py', '--epochs', '5', '--api-key', '[redacted]')
    """
    words = sys.orig_argv
    if not words or _is_interactive(words):
        return None
    return without_secrets([PurePath(words[0]).name, *words[1:]])


def without_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a command with every value that may be a secret replaced."""
    before = ["", *words]
    return tuple(_clean(word, option) for option, word in zip(before, words, strict=False))


def _clean(word: str, before: str) -> str:
    if before.startswith("-") and _is_secret(before) and not word.startswith("--"):
        return REDACTED
    if before in ("-u", "--user") and _USER_AND_PASSWORD.fullmatch(word):
        return REDACTED
    assignment = _ASSIGNMENT.fullmatch(word)
    if assignment is not None:
        name, value = assignment["name"], assignment["value"]
        return f"{name}={REDACTED if _is_secret(name) else _clean(value, '')}"
    if len(word) > _LONGEST_WORD:
        return f"{redacted_text(word)[:_LONGEST_WORD]}..."
    return redacted_text(word)


def _is_secret(option: str) -> bool:
    return NAME.search(option.lstrip("-").replace("-", "_").replace(".", "_")) is not None


def _is_interactive(words: Sequence[str]) -> bool:
    if any(_NOTEBOOK_KERNEL.search(word) for word in words[:3]):
        return "IPython" in sys.modules
    # `python -i script.py` has a prompt in the end, but what runs is the script.
    return hasattr(sys, "ps1") and not hasattr(sys.modules.get("__main__"), "__file__")
