from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import modelkb_store
import modelkb_viewer.commands
from modelkb_store import Experiment
from modelkb_viewer.main import COMMANDS, module_of
from modelkb_viewer.main import modelkb as group

Modelkb = Callable[..., Any]


def test_version(modelkb: Modelkb) -> None:
    ended = modelkb("--version")

    assert ended.exit_code == 0
    assert ended.output == f"modelkb, version {modelkb_store.__version__}\n"


def test_help_lists_every_command(modelkb: Modelkb) -> None:
    ended = modelkb("--help")

    assert ended.exit_code == 0
    for name, help_text in COMMANDS.items():
        assert f"\n  {name} " in ended.output
        assert help_text in ended.output


def test_every_module_of_the_commands_is_a_command() -> None:
    modules = {module.name for module in pkgutil.iter_modules(modelkb_viewer.commands.__path__)}

    assert modules == {module_of(name).rpartition(".")[2] for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(modelkb: Modelkb, name: str) -> None:
    command = importlib.import_module(module_of(name)).command
    ended = modelkb(name, "--help")

    assert command.name == name
    assert ended.exit_code == 0
    assert f"Example: modelkb {name}" in " ".join(ended.output.split())
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in ended.output


@pytest.mark.parametrize("arguments", [["nothing"], ["ls", "--nothing"], ["show"], ["--nothing"]])
def test_wrong_usage_ends_with_two(modelkb: Modelkb, arguments: list[str]) -> None:
    ended = modelkb(*arguments)

    assert ended.exit_code == 2
    assert ended.output == ""
    assert "Usage: modelkb" in ended.errors


def test_an_unknown_command_is_named(modelkb: Modelkb) -> None:
    assert "'nothing'" in modelkb("nothing").errors


def test_a_store_that_is_a_file(modelkb: Modelkb, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ended = modelkb("ls", "--store", tmp_path / "file")

    assert ended.exit_code == 1
    assert ended.errors.startswith(f"modelkb: No ModelKB store at {tmp_path / 'file'}")
    assert (tmp_path / "file").read_bytes() == b""


def test_an_error_of_modelkb_ends_with_one(modelkb: Modelkb, store: Path) -> None:
    ended = modelkb("ls", "--store", store)

    assert ended.exit_code == 1
    assert ended.output == ""
    assert ended.errors.startswith(f"modelkb: No ModelKB store at {store}.")
    assert ended.errors.count("\n") == 1


def test_the_group_works_without_the_entry_point(recorded_experiment: Experiment) -> None:
    result = CliRunner().invoke(group, ["ls", "--json"])

    assert result.exit_code == 0
    assert [row["experiment_id"] for row in json.loads(result.output)] == [recorded_experiment.id]


def test_a_process_shows_no_traceback(store: Path) -> None:
    program = "from modelkb_viewer.main import main; main()"

    ended = subprocess.run(
        [sys.executable, "-c", program, "ls", "--store", str(store)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("modelkb: No ModelKB store at")
    assert "Traceback" not in ended.stderr


def test_listing_loads_no_training_packages(recorded_experiment: Experiment, store: Path) -> None:
    program = (
        "import json, sys\n"
        "from modelkb_viewer.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program, "ls", "--store", str(store)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert recorded_experiment.id.rpartition("-")[2] in ended.stdout
    imported = set(json.loads(ended.stderr))
    assert "modelkb_viewer.commands.ls" in imported
    unwanted = {
        "keras",
        "tensorflow",
        "torch",
        "jax",
        "sklearn",
        "streamlit",
        "modelkb_callbacks",
        "modelkb_viewer.commands.demo",
        "modelkb_viewer.commands.show",
    }
    assert unwanted.isdisjoint(imported)
