from __future__ import annotations

import pytest

from modelkb_store.codegen.script.command_line import script_arguments


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["python", "train.py"], []),
        (["python", "train.py", "--epochs", "5", "-m"], ["--epochs", "5", "-m"]),
        (["python", "-u", "-X", "dev", "train.py", "a"], ["a"]),
        (["python", "-m", "package.train", "-x"], ["-x"]),
        (["python", "-c", "print()", "a"], ["a"]),
        (["python"], []),
        ([], []),
    ],
)
def test_what_comes_behind_the_script(words: list[str], arguments: list[str]) -> None:
    assert script_arguments(words) == arguments
