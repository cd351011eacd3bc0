"""What a server lets those who ask take, as its owner has set it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from modelkb_store.errors import InvalidSettingError

REQUESTS_VARIABLE = "MODELKB_MAX_REQUESTS_PER_MINUTE"
CONCURRENT_VARIABLE = "MODELKB_MAX_CONCURRENT_REQUESTS"
SQL_VARIABLE = "MODELKB_SQL_TIMEOUT_SECONDS"


@dataclass(frozen=True, slots=True)
class Settings:
    """What those who ask may take.

    Attributes:
        requests_per_minute: Of one token, or of one address without a token. More than two
            processors can answer: it stops a program that runs wild, and no team.
        concurrent_requests: Of all, beside those who follow a running experiment.
        sql_seconds: How long an SQL query may run that does not say so itself.
    """

    requests_per_minute: int = 120_000
    concurrent_requests: int = 1_000
    sql_seconds: float = 30.0


def settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the environment, by default that of this process.

    Raises:
        InvalidSettingError: A variable is no number above 0.
    """
    environment = os.environ if environ is None else environ
    usual = Settings()
    return Settings(
        int(_number(environment, REQUESTS_VARIABLE, usual.requests_per_minute)),
        int(_number(environment, CONCURRENT_VARIABLE, usual.concurrent_requests)),
        _number(environment, SQL_VARIABLE, usual.sql_seconds),
    )


def _number(environ: Mapping[str, str], name: str, usual: float) -> float:
    text = environ.get(name, "")
    if not text:
        return usual
    try:
        number = float(text)
    except ValueError as error:
        raise InvalidSettingError(name, text, "a number") from error
    if not 1 <= number < float("inf"):
        raise InvalidSettingError(name, text, "a number from 1")
    return number
