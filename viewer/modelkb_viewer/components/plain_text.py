"""Recorded text where Streamlit would read Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&@])")


def plain(text: object) -> str:
    r"""Return Markdown that shows a text as it is: no link, no picture, no mark-up.

    Example:
        >>> plain("a*b*")
        'a\\*b\\*'
    """
    lines = _SPECIAL.sub(r"\\\1", str(text)).splitlines()
    return "  \n".join(lines)
