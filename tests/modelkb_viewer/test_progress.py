from __future__ import annotations

import io
import os
import sys

import click
import pytest

from modelkb_viewer.progress import progress_bar


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def work(*, shown: bool = True) -> None:
    with progress_bar("Copying experiments", shown=shown) as progress:
        for done in range(4):
            progress(done + 1, 4)


def test_on_a_terminal_it_is_told_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work()
    told = terminal.getvalue()
    assert "Copying experiments" in told
    assert "4/4" in told
    assert told.rstrip().endswith("\x1b[2K"), "the line is cleared"


@pytest.mark.parametrize("terminal", [io.StringIO(), Terminal()], ids=["a file", "not wanted"])
def test_elsewhere_nothing_is(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    work(shown=not terminal.isatty())
    assert terminal.getvalue() == ""


def test_an_error_of_the_work_comes_through() -> None:
    with pytest.raises(ZeroDivisionError), progress_bar("Copying") as progress:
        progress(1, os.getpid() // 0)


def test_what_is_printed_meanwhile_goes_where_it_belongs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar("Reproducing experiments") as progress:
        progress(0, 2)
        click.echo("to the output, which is a file")
        click.echo("to the terminal", err=True)
    assert capsys.readouterr().out == "to the output, which is a file\n"
    told = terminal.getvalue()
    assert "to the terminal" in told
    assert "to the output" not in told
