from __future__ import annotations

import json
import math
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.printing import duration, moment, number, print_json, print_table

MOMENT = datetime(2026, 1, 2, 23, 4, 5, 678000, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (0.123456, "0.1235"),
        (12.0, "12"),
        (1e-7, "1e-07"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers_have_four_digits_that_matter(value: float | None, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_printed_number_is_near(value: float) -> None:
    assert float(number(value)) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0.0s"),
        (4.21, "4.2s"),
        (59.9, "59.9s"),
        (60, "0:01:00"),
        (3723.9, "1:02:03"),
        (360_000, "100:00:00"),
        (59.96, "0:01:00"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.usefixtures("_two_hours_east")
def test_times_are_in_the_time_zone_of_the_reader() -> None:
    assert moment(MOMENT) == "2026-01-03 01:04:05"
    assert moment(None) == ""


def test_json_has_what_json_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(
        {
            "nan": math.nan,
            "nested": [{"infinite": (math.inf, 1.5)}],
            "when": MOMENT,
            "none": None,
            "flag": True,
            "sql": [MOMENT.date(), timedelta(minutes=1), Decimal(3), Decimal("0.5"), b"\x0f"],
            "name": "日本語",
            1: "one",
        }
    )

    text = capsys.readouterr().out
    assert json.loads(text) == {
        "nan": None,
        "nested": [{"infinite": [None, 1.5]}],
        "when": "2026-01-02T23:04:05.678000+00:00",
        "none": None,
        "flag": True,
        "sql": ["2026-01-02", 60.0, 3, 0.5, "0f"],
        "name": "日本語",
        "1": "one",
    }
    assert "日本語" in text


def test_a_table_cuts_nothing_off_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500

    print_table(["name", "value"], [[long, "1"], ["[bold]short[/bold]", "2"]])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["name", "value"] in lines
    assert [long, "1"] in lines
    # What looks like markup is a name that somebody chose.
    assert ["[bold]short[/bold]", "2"] in lines


def test_a_table_in_a_pipe_has_no_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    print_table(["name"], [["value"]])

    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_what_json_cannot_hold_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError):
        print_json(value)


def test_a_narrow_terminal_gets_fewer_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    columns = ["id", "name", "loss", "started"]
    row = ["0123456789", "first try", "0.5", "2026-01-02 03:04:05"]

    print_table(columns, [row], right=["loss"], at_least=2)

    printed = capsys.readouterr().out
    assert "started" not in printed
    assert "2026" not in printed
    assert all(text in printed for text in ("loss", "0123456789", "first try", "0.5"))
