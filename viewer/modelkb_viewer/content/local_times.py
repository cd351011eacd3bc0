"""Times as the reader's clock shows them."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo


def local_time(moment: datetime | None, zone: str | None) -> str:
    """Return a time to the second in a time zone, else in UTC, which is said then.

    Args:
        moment: The time; nothing is shown of None.
        zone: The name of the zone, such as ``Europe/Paris``.

    Example:
        >>> local_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), None)
        '2026-01-02 03:04:05 UTC'
    """
    if moment is None:
        return ""
    place = _zone(zone)
    shown = f"{moment.astimezone(place):%Y-%m-%d %H:%M:%S}"
    return f"{shown} UTC" if place is timezone.utc else shown


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else timezone.utc
    except (KeyError, ValueError, OSError):  # a zone that this machine does not know
        return timezone.utc
