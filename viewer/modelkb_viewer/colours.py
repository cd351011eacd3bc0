"""Whether to print colours: on a terminal, unless the environment says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def wants_colours(environ: Mapping[str, str] | None = None) -> bool | None:
    """Return whether colours are wanted; None where it depends on whether it is a terminal.

    ``NO_COLOR`` goes before ``FORCE_COLOR`` and ``CLICOLOR_FORCE``, and these before
    ``CLICOLOR=0`` and a terminal that says it has none.

    Example:
        >>> wants_colours({"NO_COLOR": "1", "FORCE_COLOR": "1"})
        False
    """
    environment = os.environ if environ is None else environ
    if environment.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environment.get(name, "0") not in {"", "0"}:
            return True
    if environment.get("CLICOLOR") == "0" or environment.get("TERM") in {"dumb", "unknown"}:
        return False
    return None


def console_settings() -> dict[str, Any]:
    """Return what a console of Rich is to be told of colours."""
    wanted = wants_colours()
    # It takes "no colours" for "bold and underlined at least".
    return {"color_system": None} if wanted is False else {"force_terminal": wanted}
