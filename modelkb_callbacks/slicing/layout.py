"""Setting statements out as a person would."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DEFINITION = re.compile(r"(@|class |def |async def )")
_IMPORT = re.compile(r"(import|from) ")


def laid_out(statements: Iterable[str], *, future: bool = False) -> str:
    """Return statements as a text, with blank lines around definitions and after imports.

    Args:
        statements: Texts of statements, or of lines of compound ones.
        future: Whether annotations must not be evaluated.
    """
    parts: list[str] = []
    before = ""
    for text in statements:
        kind = _kind(text)
        if before and (kind == "definition" or before == "definition"):
            if not text.startswith(" "):
                parts.append("\n\n")
        elif before == "import" and kind == "other":
            parts.append("\n")
        parts.append(f"{text}\n")
        before = kind
    whole = "".join(parts)
    if future and _has_annotations(whole):
        return f"from __future__ import annotations\n\n{whole}"
    return whole


def _kind(text: str) -> str:
    if _DEFINITION.match(text):
        return "definition"
    return "import" if _IMPORT.match(text) else "other"


def _has_annotations(text: str) -> bool:
    return bool(re.search(r"->|^\s*[\w.]+\s*:\s|\(.*:.*\)", text, re.MULTILINE))
