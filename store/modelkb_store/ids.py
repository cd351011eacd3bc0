"""Identifiers: of experiments by time and chance, of everything shared by content."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from datetime import datetime
from typing import Any

_EXPERIMENT_ID = re.compile(r"[0-9]{8}-[0-9]{9}-[0-9a-f]{10}")
_ID_LENGTH = 32  # hexadecimal digits, 128 bits


def new_experiment_id(now: datetime) -> str:
    """Return an id that sorts by time and is unique over machines without asking anyone.

    The random part comes from the operating system, so that the user's own random state
    is never touched.

    Args:
        now: The start of the experiment, in UTC.

    Returns:
        Date, time to the millisecond and 40 random bits, such as
        ``20261123-142233512-9f1c2b7a4d``.
    """
    return f"{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(5)}"


def is_experiment_id(text: str) -> bool:
    """Return whether a text is made as the id of an experiment is."""
    return _EXPERIMENT_ID.fullmatch(text) is not None


def canonical_json(value: Any) -> str:
    """Return JSON text that is equal for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_id(value: Any) -> str:
    """Return the id of a JSON value: 32 hexadecimal digits of its SHA-256.

    Example:
        >>> content_id({"a": 1, "b": 2}) == content_id({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:_ID_LENGTH]
