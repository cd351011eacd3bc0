"""Models of Keras beside the modules that are written of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from ruff import find_ruff_bin

from modelkb_store.codegen import read_description
from modelkb_store.codegen.torch.target import write_module

Check = Callable[..., str]


@pytest.fixture
def check_same(tmp_path: Path) -> Check:
    """Compares what a model of Keras and the module of PyTorch give; returns the module's code."""

    def check(model: Any, *inputs: Any, atol: float = 1e-5, file: str = "model.keras") -> str:
        _fill(model)
        architecture, weights = tmp_path / file, tmp_path / "model.weights.h5"
        model.save(architecture)
        if file.endswith(".keras"):
            weights = architecture
        else:
            model.save_weights(weights)
        text = write_module(read_description(architecture))
        _check_lint(text)
        made = _made(text, weights)
        with torch.no_grad():
            found = made(*(_as_torch(each) for each in inputs))
        given = inputs[0] if len(inputs) == 1 else list(inputs)
        _compare(model(given, training=False), found, atol)
        return text

    return check


def _fill(model: Any) -> None:
    """Give every variable values of its own, so that none is mistaken for another."""
    random = np.random.default_rng(0)
    for variable in model.variables:
        if "float" not in str(variable.dtype):
            continue
        values = random.normal(size=variable.shape) * 0.3
        if "variance" in variable.path:
            values = np.abs(values) + 0.5
        variable.assign(values.astype("float32"))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _made(text: str, weights: Path) -> Any:
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), names)
    classes = [each for each in names.values() if hasattr(each, "load_keras")]
    made = classes[-1]()
    names["load_keras_weights"](made, weights)
    return made.eval()


def _check_lint(text: str) -> None:
    command = [find_ruff_bin(), "check", "--isolated", "--quiet", "-"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def _as_torch(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_torch(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_torch(each) for each in value]
    return torch.from_numpy(np.asarray(value))


def _compare(expected: Any, found: Any, atol: float) -> None:
    if isinstance(expected, Mapping):
        assert list(expected) == list(found)
        for key in expected:
            _compare(expected[key], found[key], atol)
    elif isinstance(expected, (list, tuple)):
        assert len(expected) == len(found)
        for one, other in zip(expected, found, strict=True):
            _compare(one, other, atol)
    else:
        expected = keras.ops.convert_to_numpy(expected)
        assert tuple(found.shape) == expected.shape
        np.testing.assert_allclose(found.numpy(), expected, atol=atol, rtol=1e-5)


@pytest.fixture
def random() -> np.random.Generator:
    """Numbers that are the same in each run."""
    return np.random.default_rng(1)
