"""What the owner of a viewer has allowed: running code that was recorded from users' scripts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from modelkb_store.layout import resolve_store_location

CODE_VARIABLE = "MODELKB_RUN_RECORDED_CODE"
HOW_TO_ALLOW = (
    "The viewer's owner can allow it for this store by starting it with "
    "`modelkb view --run-recorded-code`."
)


def allow_recorded_code(location: str) -> None:
    """Allow it for one store, in this process and those that it starts."""
    os.environ[CODE_VARIABLE] = location


def recorded_code_is_allowed(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether it is allowed for the store that is shown."""
    environment = os.environ if environ is None else environ
    allowed = environment.get(CODE_VARIABLE)
    return allowed is not None and allowed == resolve_store_location(None, environment)
