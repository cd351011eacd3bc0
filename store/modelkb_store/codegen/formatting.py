"""Python code as ruff would leave it."""

from __future__ import annotations

import subprocess

from ruff import find_ruff_bin

from modelkb_store.errors import ModelKBError


def format_python(text: str, *, sort_out_imports: bool = False) -> str:
    """Return code in ruff's format, with ruff's own defaults: 88 columns, double quotes.

    Args:
        text: Python that can be parsed.
        sort_out_imports: Whether imports that are not used are dropped, and the others sorted.

    Raises:
        ModelKBError: The text is no Python.
    """
    if sort_out_imports:
        text = _run(text, "check", "--select", "F401,I", "--fix-only", "--quiet")
    return _run(text, "format")


def _run(text: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - ruff itself, on text from stdin
        [find_ruff_bin(), *arguments, "--isolated", "--stdin-filename", "generated.py", "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise ModelKBError(f"The generated code cannot be formatted: {message[:1]}")
    return done.stdout.decode()
