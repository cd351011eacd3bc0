"""The command is recorded as it was typed, but for secrets."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from modelkb_callbacks.process.command_line import command_line, without_secrets

PRINT = "from modelkb_callbacks.process.command_line import command_line; print(command_line())"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--password", "hunter2"), ("--password", "[redacted]")),
        (("--token=hunter2",), ("--token=[redacted]",)),
        (("--api-key", "hunter2", "data"), ("--api-key", "[redacted]", "data")),
        (("--key", "hunter2"), ("--key", "[redacted]")),
        (("DB_PASSWORD=hunter2",), ("DB_PASSWORD=[redacted]",)),
        (("db.password=hunter2",), ("db.password=[redacted]",)),
        (("https://ada:hunter2@host/x",), ("https[redacted]host/x",)),
        (("--url=https://ada:hunter2@host/x",), ("--url=https[redacted]host/x",)),
        (("-u", "ada:hunter2"), ("-u", "[redacted]")),
        (("-c", "connect(password='hunter2')"), ("-c", "connect(password='[redacted]')")),
        (("-c", "a = 1\npassword = 'hunter2'"), ("-c", "a = 1\npassword = '[redacted]'")),
        (("--use-auth-token", "--epochs", "5"), ("--use-auth-token", "--epochs", "5")),
    ],
)
def test_secrets(words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert without_secrets(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        ("python", "train.py", "--epochs", "5", "--lr=0.1"),
        ("python", "-m", "train", "--tokenizer", "bert", "--max-tokens", "128"),
        ("--data", "s3://bucket/digits", ""),
    ],
)
def test_what_is_no_secret_stays(words: tuple[str, ...]) -> None:
    assert without_secrets(words) == words


def test_a_whole_program_is_cut() -> None:
    (code,) = without_secrets(["x = 1\n" * 10_000])
    assert len(code) == 10_003


@pytest.mark.slow
def test_of_a_script(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(PRINT)
    command = [sys.executable, "-W", "ignore", str(script), "--epochs", "5", "--token", "hunter2"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    python = Path(sys.executable).name
    assert shown.strip() == repr(
        (python, "-W", "ignore", str(script), "--epochs", "5", "--token", "[redacted]")
    )


@pytest.mark.slow
def test_none_at_a_prompt() -> None:
    shown = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=f"{PRINT}\n",
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "None" in shown.splitlines()


def test_none_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "/run/kernel-1.json"]
    monkeypatch.setattr(sys, "orig_argv", kernel)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    assert command_line() is None
