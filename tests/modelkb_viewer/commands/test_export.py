"""``modelkb export``; what each tool gets is tested in ``exchange/exporting``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelkb_store import Experiment
from modelkb_viewer.exchange.exporting.exporters import EXPORTERS, exporter
from small_experiment import record_complete_experiment

Modelkb = Callable[..., Any]


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_exporter_is_there(name: str) -> None:
    assert callable(exporter(name))


def test_one_goes_to_a_file(
    modelkb: Modelkb, recorded_experiment: Experiment, tmp_path: Path
) -> None:
    path = tmp_path / "digits.keras"
    ended = modelkb("export", "run-1", "--to", "keras", "-o", path, "--checkpoint", "end")
    assert (ended.exit_code, ended.errors) == (0, "")
    assert ended.output == f"1 experiment exported to {path}.\n"
    assert path.is_file()


def test_many_go_to_one_folder(modelkb: Modelkb, store: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    for number in (1, 2):
        record_complete_experiment(store, "digits", number)
    record_complete_experiment(store, "cats", 3)
    where = ["--to", "tensorboard", "-o", tmp_path / "logs"]
    told = modelkb("export", "run-3", "--project", "digits", *where, "--json").json
    assert told["tool"] == "tensorboard"
    places = sorted(Path(each["place"]).name for each in told["exported"])
    assert places == ["run-1-0000000001", "run-2-0000000002", "run-3-0000000003"]
    ended = modelkb("export", "run-3", *where)
    assert ended.exit_code == 1
    assert "run-3-0000000003 is there already" in ended.errors


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--to", "keras"], "Say which experiments"),
        (["--to", "onnx", "--project", "digits"], "onnx takes one experiment, and 2 are named"),
        (["run-1", "--to", "tensorboard", "--checkpoint", "3"], "tensorboard has no weights"),
        (["run-1", "--to", "excel"], "'excel' is not one of"),
    ],
)
def test_wrong_usage(modelkb: Modelkb, store: Path, arguments: list[str], text: str) -> None:
    for number in (1, 2):
        record_complete_experiment(store, "digits", number)
    ended = modelkb("export", *arguments, "-o", "x.onnx")
    assert ended.exit_code == 2
    assert text in ended.errors


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nothing", "--to", "keras"], "No experiment 'nothing'"),
        (["run-1", "--to", "keras", "--checkpoint", "7"], "no checkpoint 7"),
    ],
)
@pytest.mark.usefixtures("recorded_experiment")
def test_what_is_not_there(modelkb: Modelkb, arguments: list[str], text: str) -> None:
    ended = modelkb("export", *arguments, "-o", "x.keras")
    assert (ended.exit_code, ended.output) == (1, "")
    assert text in ended.errors
    assert not Path("x.keras").exists()


@pytest.mark.parametrize(
    ("tool", "package"),
    [("mlflow", "mlflow"), ("tensorboard", "tensorboard"), ("wandb-offline", "wandb")],
)
@pytest.mark.usefixtures("recorded_experiment")
def test_a_library_that_is_missing(
    modelkb: Modelkb, monkeypatch: pytest.MonkeyPatch, tool: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    ended = modelkb("export", "run-1", "--to", tool, "-o", "there")
    assert ended.exit_code == 1
    assert f"needs {package}. Install it with `pip install {package}`" in ended.errors
    assert not Path("there").exists()
