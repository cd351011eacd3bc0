"""What the owner of a viewer has allowed: running code that was recorded from users' scripts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from modelkb_store.errors import ModelKBError
from modelkb_store.layout import resolve_store_location

CODE_VARIABLE = "MODELKB_RUN_RECORDED_CODE"
HOW_TO_ALLOW = (
    "The viewer's owner can allow it for this store by starting it with "
    "`modelkb view --run-recorded-code`."
)


class RecordedCodeNotAllowedError(ModelKBError, PermissionError):
    """Code that was recorded from a user's script was to be run, and nobody has allowed it."""

    def __init__(self, purpose: str) -> None:
        super().__init__(f"{purpose} runs code that was recorded from a script. {HOW_TO_ALLOW}")


def allow_recorded_code(location: str) -> None:
    """Allow it for one store, in this process and those that it starts."""
    os.environ[CODE_VARIABLE] = location


def recorded_code_is_allowed(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether it is allowed for the store that is shown."""
    environment = os.environ if environ is None else environ
    allowed = environment.get(CODE_VARIABLE)
    if not allowed:
        return False
    shown = resolve_store_location(None, environment)
    return resolve_store_location(allowed, environment) == shown


def check_recorded_code(purpose: str, environ: Mapping[str, str] | None = None) -> None:
    """Pass if it is allowed.

    Args:
        purpose: What is to be done, as the beginning of a sentence.
        environ: The environment; by default that of this process.

    Raises:
        RecordedCodeNotAllowedError: It is not.
    """
    if not recorded_code_is_allowed(environ):
        raise RecordedCodeNotAllowedError(purpose)
