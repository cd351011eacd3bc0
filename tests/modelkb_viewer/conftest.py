"""Fixtures for the command line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelkb_viewer.main import main
from seeded_training import record_seeded_training


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    exit_code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The output as JSON, which has no NaN."""
        return json.loads(self.output, parse_constant=_refuse)


@pytest.fixture
def modelkb(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs the command line with arguments, as its entry point does."""
    # Colours that the caller's terminal asks for are no part of what is printed.
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["modelkb", *map(str, arguments)])
        exit_code = 0
        try:
            main()
        except SystemExit as ended:
            exit_code = int(ended.code or 0)
        captured = capsys.readouterr()
        return Ended(exit_code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def seeded_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the run ``original``, which can be done again; not to be written into."""
    folder = tmp_path_factory.mktemp("seeded")
    record_seeded_training(folder, folder / "modelkb")
    return folder / "modelkb"


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """Put back the main module: Streamlit's test runner replaces it, and new processes use it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def _two_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the reader two hours east of UTC."""
    if not hasattr(time, "tzset"):
        pytest.skip("this operating system cannot change the time zone of a process")
    with monkeypatch.context() as context:
        context.setenv("TZ", "EAST-2")
        time.tzset()
        yield
    time.tzset()


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
