"""Values that were too long to be recorded whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CUT = "..."
_REDACTED = "[redacted]"


def is_cut(value: Any) -> bool:
    """Return whether a part of a value is missing: it was too long, or a secret."""
    if isinstance(value, str):
        return value == _CUT or _REDACTED in value or (len(value) > 10_000)
    if isinstance(value, Mapping):
        return _CUT in value or any(is_cut(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        last = value[-1] if value else None
        more = isinstance(last, str) and last.startswith("... ") and last.endswith(" more")
        return more or any(is_cut(item) for item in value)
    return False


def is_description(value: Any) -> bool:
    """Return whether a value only says how large an array was."""
    return isinstance(value, Mapping) and set(value) == {"shape", "dtype"}
