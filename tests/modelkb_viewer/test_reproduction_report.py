from __future__ import annotations

import math

import pytest

from modelkb_store import Experiment
from modelkb_store.reproduction import Cause, Comparison, FirstDifference, Verdict
from modelkb_viewer.reproduction_facts import comparison_as_json
from modelkb_viewer.reproduction_report import (
    print_comparison,
    print_line,
    print_summary,
)

IDENTICAL = Comparison(
    "the original", "the other", Verdict.IDENTICAL, True, True, True, 1200, 0.0
)  # fmt: skip
DIFFERENT = Comparison(
    "the original",
    "the other",
    Verdict.DIFFERENT,
    same_architecture=True,
    same_initial_weights=False,
    compared_values=12,
    max_difference=0.123456,
    first_difference=FirstDifference("val_loss", 2),
    not_compared=("test_loss",),
    causes=(Cause("data", "it is another"), Cause("seed", "there was none")),
)
FAILED = Comparison(
    "the original",
    None,
    Verdict.FAILED,
    causes=(Cause("error", "Traceback (most recent call last):\n  line\nValueError: no"),),
)


def printed(comparison: Comparison, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_comparison(comparison)
    return capsys.readouterr().out.splitlines()


def test_an_identical_run_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(IDENTICAL, capsys) == [
        "verdict           identical",
        "experiment        the original",
        "reproduction      the other",
        "architecture      the same",
        "initial weights   the same",
        "curves            1,200 values, all equal to the bit",
        "final weights     the same",
    ]


def test_a_different_run_says_where_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(DIFFERENT, capsys)[3:] == [
        "architecture      the same",
        "initial weights   not the same",
        "curves            12 values, which differ by up to 0.1235, first in val_loss of epoch 2",
        "final weights     not known",
        "not compared      test_loss",
        "maybe because of  data: it is another",
        "                  seed: there was none",
    ]


def test_a_failed_run_shows_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(FAILED, capsys) == [
        "verdict           failed",
        "experiment        the original",
        "reproduction      nothing was recorded",
        "because of        error: Traceback (most recent call last):",
        "                    line",
        "                  ValueError: no",
    ]


def test_a_line_of_a_table(
    recorded_experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    for comparison in (IDENTICAL, DIFFERENT, FAILED):
        print_line(recorded_experiment, comparison, width=6)
    print_summary([IDENTICAL, FAILED, IDENTICAL])

    assert capsys.readouterr().out.splitlines() == [
        "0000000001  run-1   identical   1,200 values, all equal to the bit",
        "0000000001  run-1   different   12 values, which differ by up to 0.1235, "
        "first in val_loss of epoch 2; data: it is another",
        "0000000001  run-1   failed      error: ValueError: no",
        "3 experiments: 2 identical, 1 failed.",
    ]


def test_json_has_what_programs_ask_for() -> None:
    found = comparison_as_json(DIFFERENT)

    assert found["verdict"] == "different"
    assert found["first_difference"] == {"metric": "val_loss", "epoch": 2}
    assert found["causes"] == ["data: it is another", "seed: there was none"]
    assert comparison_as_json(FAILED)["first_difference"] is None
    endless = Comparison("a", "b", Verdict.DIFFERENT, max_difference=math.inf)
    assert comparison_as_json(endless)["max_difference"] == math.inf  # printed as null
