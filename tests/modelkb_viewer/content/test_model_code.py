from __future__ import annotations

import ast

import pytest

from modelkb_store import Experiment
from modelkb_store.errors import InvalidSettingError
from modelkb_viewer.content.model_code import model_code, model_file_name, targets


def test_all_targets_have_names() -> None:
    assert targets() == {"keras": "Keras", "torch": "PyTorch"}


def test_the_model_is_code(recorded_experiment: Experiment) -> None:
    code = model_code(recorded_experiment, "keras")

    ast.parse(code)
    assert "def build_model()" in code
    name = model_file_name(recorded_experiment, "keras")
    assert name == f"model-{recorded_experiment.id[-10:]}-keras.py"


def test_another_target_is_an_error(recorded_experiment: Experiment) -> None:
    with pytest.raises(InvalidSettingError, match="keras, torch"):
        model_code(recorded_experiment, "fortran")
