from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from modelkb_store import Experiment
from modelkb_store.files.local_files import LocalFiles
from modelkb_viewer.main import COMMANDS
from modelkb_viewer.main import modelkb as group
from modelkb_viewer.tokens import Scope, Tokens

Modelkb = Callable[..., Any]


def completed(*words: str) -> list[str]:
    """Return what the last word can become."""
    shell = ShellComplete(group, {}, "modelkb", "_MODELKB_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_commands_and_options() -> None:
    assert completed("") == sorted(COMMANDS)
    assert completed("re") == ["regenerate", "reproduce"]
    assert "--project" in completed("ls", "--")
    assert completed("token", "c") == ["create"]
    assert "tensorboard" in completed("export", "--to", "")


@pytest.mark.parametrize(
    "words",
    [("show",), ("delete",), ("export",), ("push", "there"), ("regenerate",), ("reproduce",)],
    ids=" ".join,
)
def test_experiments(recorded_experiment: Experiment, words: tuple[str, ...]) -> None:
    short = recorded_experiment.id.rpartition("-")[2]

    assert completed(*words, "") == [short]
    assert completed(*words, short[:4]) == [short]
    assert completed(*words, recorded_experiment.id[:8]) == [recorded_experiment.id]
    assert completed(*words, "run") == ["run-1"]
    assert completed(*words, "nothing") == []


def test_those_of_the_store_that_is_named(recorded_experiment: Experiment, store: Path) -> None:
    short = recorded_experiment.id.rpartition("-")[2]

    assert completed("show", "--store", str(store), "") == [short]
    assert completed("show", "--store", f"{store}-other", "") == []
    assert completed("pull", "--store", f"{store}-other", str(store), "") == [short]


@pytest.mark.usefixtures("recorded_experiment")
def test_projects_columns_and_tokens(store: Path) -> None:
    token, _ = Tokens(LocalFiles(store)).create("laptop", Scope.READ)

    assert completed("ls", "--project", "") == ["digits"]
    assert "metrics.loss" in completed("find", "true", "--order-by", "metrics.")
    assert completed("token", "revoke", "") == [token.token_id]


def test_a_model_is_an_experiment_or_a_file(recorded_experiment: Experiment) -> None:
    assert completed("code", "run") == ["run-1"]
    shell = ShellComplete(group, {}, "modelkb", "_MODELKB_COMPLETE")
    assert [item.type for item in shell.get_completions(["code"], "model.k")] == ["file"]


@pytest.mark.parametrize("place", ["nowhere", "https://127.0.0.1:9", "s3://nobody/nothing"])
def test_what_cannot_be_read_is_not_told(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert completed("show", "--store", place, "") == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_a_script_for_each_shell(modelkb: Modelkb, shell: str) -> None:
    ended = modelkb("completion", shell)

    assert ended.exit_code == 0, ended.errors
    assert f"_MODELKB_COMPLETE={shell}_complete" in ended.output
    assert modelkb("completion", "cmd").exit_code == 2


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(recorded_experiment: Experiment, store: Path, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "modelkb"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m modelkb_viewer "$@"\n')
    command.chmod(0o755)
    typed = f"""
        eval "$(modelkb completion bash)" || exit 1
        complete -p modelkb
        press_tab() {{
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _modelkb_completion modelkb
            echo "${{COMPREPLY[@]}}"
        }}
        press_tab modelkb rep
        press_tab modelkb show --store {shlex.quote(str(store))} ''
    """
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"

    ended = subprocess.run(
        ["bash", "--norc", "-c", typed],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    registered, *answers = ended.stdout.splitlines()
    assert "_modelkb_completion" in registered, ended.stderr
    assert answers == ["reproduce", recorded_experiment.id.rpartition("-")[2]]
    assert ended.stderr == ""
