"""Times in requests: texts of ISO 8601, and nothing that only could be one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

_BEGINNING = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _text_of_a_time(value: Any) -> Any:
    # Else numbers would be taken for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and _BEGINNING.match(value)):
        return value
    raise ValueError("a date and time in ISO 8601 are expected, such as 2026-01-02T03:04:05Z")


Moment = Annotated[datetime, BeforeValidator(_text_of_a_time)]
