"""Recorded text where Streamlit would read Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&@])")
# What Markdown makes a link of without any mark; an invisible joiner keeps it from that.
_ADDRESS = re.compile(r"(https?:(?=//)|www(?=\.)|(?<=[\w.+-])(?=@))", re.IGNORECASE)
_JOINER = "\u2060"


def plain(text: object) -> str:
    r"""Return Markdown that shows a text as it is: no link, no picture, no mark-up.

    Example:
        >>> plain("a*b*")
        'a\\*b\\*'
    """
    unlinked = _ADDRESS.sub(rf"\1{_JOINER}", str(text))
    lines = _SPECIAL.sub(r"\\\1", unlinked).splitlines()
    return "  \n".join(lines)
