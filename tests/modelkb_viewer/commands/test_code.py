from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from modelkb_store import Experiment

Modelkb = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    # Layers get the names of a fresh process, so that none is written.
    keras.utils.clear_session()
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="small").save(path)
    return path


def test_code_of_a_file_is_printed(modelkb: Modelkb, file: Path) -> None:
    ended = modelkb("code", str(file))

    assert ended.exit_code == 0, ended.errors
    assert "layers.Dense(2)" in ended.output
    assert "def build_model():" in ended.output


def test_code_is_written_to_a_file(modelkb: Modelkb, file: Path, tmp_path: Path) -> None:
    ended = modelkb("code", str(file), "-o", str(tmp_path / "model.py"), "--target", "torch")

    assert ended.exit_code == 0, ended.errors
    assert "nn.Module" in (tmp_path / "model.py").read_text()


def test_code_of_an_experiment(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    ended = modelkb("code", recorded_experiment.id)

    assert ended.exit_code == 0, ended.errors
    assert recorded_experiment.id in ended.output


def test_a_missing_file_is_named(modelkb: Modelkb, tmp_path: Path) -> None:
    ended = modelkb("code", str(tmp_path / "nowhere.h5"))

    assert ended.exit_code == 1
    assert "nowhere.h5" in ended.errors


def test_programs_read_json(
    modelkb: Modelkb, recorded_experiment: Experiment, tmp_path: Path
) -> None:
    printed = modelkb("code", recorded_experiment.id, "--json").json
    written = modelkb("code", recorded_experiment.id, "-o", tmp_path / "m.py", "--json").json

    assert "def build_model():" in printed["code"]
    assert (printed["file"], written["file"]) == (None, str(tmp_path / "m.py"))
    assert (tmp_path / "m.py").read_text() == written["code"] == printed["code"]
