from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands import MODELKB
from modelkb_store import Experiment
from modelkb_viewer.colours import wants_colours
from terminal import on_terminal

on_posix = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, None),
        ({"NO_COLOR": ""}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, None),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True),
        ({"CLICOLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm"}, None),
    ],
)
def test_who_wants_colours(environment: dict[str, str], wanted: bool | None) -> None:
    assert wants_colours(environment) is wanted


@on_posix
@pytest.mark.slow
def test_a_terminal_gets_colours_unless_they_are_not_wanted(
    recorded_experiment: Experiment, store: Path
) -> None:
    line = [*MODELKB, "ls", "--store", str(store)]

    code, coloured = on_terminal(line, {})
    _, plain = on_terminal(line, {"NO_COLOR": "1"})

    assert code == 0
    assert "\x1b[32mfinished" in coloured
    assert "\x1b" not in plain
    assert "finished" in plain


@on_posix
@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_alone(
    recorded_experiment: Experiment, store: Path, tmp_path: Path
) -> None:
    line = [*MODELKB, "push", "--store", str(store)]

    code, told = on_terminal([*line, str(tmp_path / "one")], {}, output=False)
    _, without_colours = on_terminal([*line, str(tmp_path / "two")], {"NO_COLOR": "1"})
    _, as_json = on_terminal([*line, str(tmp_path / "three"), "--json"], {}, output=False)

    assert code == 0
    assert "Copying experiments" in told
    assert "1 new and 0 changed" not in told, "that goes to standard output"
    assert "Copying experiments" in without_colours
    assert "1 new and 0 changed" in without_colours
    assert "\x1b[3" not in without_colours
    assert as_json == ""
