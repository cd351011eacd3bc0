from __future__ import annotations

from datetime import datetime, timezone

from modelkb_viewer.content.local_times import local_time

MOMENT = datetime(2026, 7, 2, 3, 4, 5, tzinfo=timezone.utc)


def test_times_are_those_of_the_reader() -> None:
    assert local_time(MOMENT, "Europe/Paris") == "2026-07-02 05:04:05"


def test_without_a_known_zone_it_is_utc_and_said_so() -> None:
    assert local_time(MOMENT, None) == "2026-07-02 03:04:05 UTC"
    assert local_time(MOMENT, "No/Where") == "2026-07-02 03:04:05 UTC"
    assert local_time(None, None) == ""
