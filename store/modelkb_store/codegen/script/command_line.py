"""The arguments that a script was started with."""

from __future__ import annotations

from collections.abc import Sequence

_WITH_A_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_PROGRAM = ("-c", "-m")


def script_arguments(words: Sequence[str]) -> list[str]:
    """Return the words of a command line behind the script.

    Example:
        >>> script_arguments(["python", "-u", "train.py", "--epochs", "5"])
        ['--epochs', '5']
    """
    rest = list(words[1:])
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option = rest.pop(0)
        if option in _PROGRAM:
            break
        if option in _WITH_A_VALUE:
            rest = rest[1:]
    return rest[1:]
