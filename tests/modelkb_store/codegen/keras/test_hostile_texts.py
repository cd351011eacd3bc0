"""Whatever stands in a configuration, the code that is written of it runs nothing else."""

from __future__ import annotations

import ast
import functools
import json
from pathlib import Path
from typing import Any

import keras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers

from modelkb_store.codegen import ModelDescription, generate_code
from modelkb_store.errors import CodeGenerationError

CANARY = "open('CANARY', 'w').close()"
HOSTILE = [
    f"'); {CANARY} #",
    f'"); {CANARY} #',
    f'"""\n{CANARY}\n"""',
    f"\n{CANARY}\n",
    f"{{{CANARY}}}",
    f"{{{{ {CANARY} }}}}",
    f"{{% {CANARY} %}}",
    f"__import__('os') or {CANARY}",
    "\\",
    "\r\n\x0c\u2028\x00",
    "lambda: 0",
]
CALLED = ("keras", "layers", "ops", "np", "range", "enumerate", "float", "build", "stack")
texts = st.sampled_from(HOSTILE) | st.text()


@functools.cache
def _config_text() -> str:
    keras.utils.clear_session(free_memory=False)
    inputs = keras.Input((3,))
    x = layers.Dense(3, activation="relu", kernel_regularizer="l2")(inputs)
    x = layers.LSTM(2)(keras.ops.expand_dims(x * 2.0, 1))
    text: str = keras.Model(inputs, x).to_json()
    return text


def config_with(draw: st.DataObject) -> dict[str, Any]:
    """Return the configuration of a model with some of its texts replaced."""
    config: dict[str, Any] = json.loads(_config_text())
    places = [each for each in _texts_in(config) if each[1] != "class_name" or draw.draw(_rarely)]
    for container, key in draw.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        container[key] = draw.draw(texts)
    return config


_rarely = st.integers(0, 9).map(lambda number: number == 0)


def _texts_in(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        if isinstance(each, (dict, list)):
            found += _texts_in(each)
        elif isinstance(each, str):
            found.append((value, key))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_nothing_else_is_called(draw: st.DataObject) -> None:
    try:
        description = ModelDescription(config_with(draw), draw.draw(texts))
        code = generate_code(description)
    except CodeGenerationError:
        return
    tree = ast.parse(code)
    functions = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            root = ast.unparse(node.func).partition(".")[0].partition("(")[0]
            assert root in functions or root in CALLED or "_" in root, ast.unparse(node)
        assert not isinstance(node, (ast.Lambda, ast.Global, ast.Delete, ast.With, ast.While))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert imported <= {"keras", "layers", "ops", "numpy"}


@pytest.mark.parametrize("text", HOSTILE)
def test_running_it_runs_nothing_else(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session(free_memory=False)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="dense_of_mine")])
    config = json.loads(model.to_json())
    config["config"]["name"] = config["config"]["layers"][1]["config"]["name"] = text
    exec(generate_code(ModelDescription(config, text)), scope := {})
    try:
        made = scope["build_model"]()
    except ValueError:  # Keras takes no such name
        made = None
    assert made is None or made.name == text
    assert list(tmp_path.iterdir()) == []
