"""Parameters that a tool keeps as text, as what they were."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}
# As Python and JSON write numbers; a version such as 1_0 or an id such as 007 stays text.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)


def value_of(text: str) -> Any:
    """Return the number, truth value, list or object that a text says, or the text.

    Example:
        >>> value_of("32"), value_of("1e-3"), value_of("True"), value_of("[1, 2]"), value_of("adam")
        (32, 0.001, True, [1, 2], 'adam')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) < 300:
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text, parse_constant=str)
        except (ValueError, RecursionError):
            return text
    return text
