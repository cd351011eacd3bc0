from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment

Modelkb = Callable[..., Any]


@pytest.mark.parametrize("options", [[], ["--target", "keras"], ["--format", "script"]])
def test_a_script_is_printed(
    modelkb: Modelkb, recorded_experiment: Experiment, options: list[str]
) -> None:
    ended = modelkb("regenerate", recorded_experiment.id, *options)

    assert ended.exit_code == 0, ended.errors
    assert ended.errors == ""
    assert ended.output == recorded_experiment.script()
    assert "def build_model():" in ended.output


def test_a_notebook_is_printed(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    ended = modelkb("regenerate", recorded_experiment.id, "--format", "notebook")

    assert json.loads(ended.output)["nbformat"] == 4


@pytest.mark.parametrize(
    ("kind", "name", "first"),
    [
        ("script", "again.py", "again.py"),
        ("notebook", "again.ipynb", "again.ipynb"),
        ("repo", "folder", "folder/train.py"),
    ],
)
def test_what_is_written_is_listed(
    modelkb: Modelkb, recorded_experiment: Experiment, kind: str, name: str, first: str
) -> None:
    ended = modelkb("regenerate", recorded_experiment.id, "--format", kind, "-o", name)

    assert ended.exit_code == 0, ended.errors
    lines = ended.output.splitlines()
    assert lines[0] == first
    assert all(Path(line).is_file() for line in lines)


def test_a_folder_cannot_be_printed(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    ended = modelkb("regenerate", recorded_experiment.id, "--format", "repo")

    assert ended.exit_code == 2
    assert "-o FOLDER" in ended.errors


@pytest.mark.parametrize("options", [["--format", "other"], ["--target", "torch"]])
def test_other_formats_are_wrong_usage(
    modelkb: Modelkb, recorded_experiment: Experiment, options: list[str]
) -> None:
    assert modelkb("regenerate", recorded_experiment.id, *options).exit_code == 2


def test_a_name_that_does_not_go_with_the_format(
    modelkb: Modelkb, recorded_experiment: Experiment
) -> None:
    ended = modelkb("regenerate", recorded_experiment.id, "-o", "again.txt")

    assert ended.exit_code == 1
    assert "a name that ends with .py" in ended.errors


def test_programs_read_json(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    printed = modelkb("regenerate", recorded_experiment.id, "--json").json
    written = modelkb("regenerate", recorded_experiment.id, "-o", "again.py", "--json").json

    assert printed["script"] == recorded_experiment.script()
    assert printed["experiment_id"] == written["experiment_id"] == recorded_experiment.id
    assert written["files"][0] == "again.py"
    assert "def build_model():" in Path("again.py").read_text()
