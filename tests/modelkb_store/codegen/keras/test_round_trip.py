"""Code that is written from a file gives the model in it again."""

from __future__ import annotations

import ast
import builtins
import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers
from ruff import find_ruff_bin

from architectures import ARCHITECTURES, DEFINITIONS
from modelkb_store.codegen import generate_code, read_description
from modelkb_store.codegen.description import ModelDescription
from modelkb_store.errors import CodeGenerationError

# Keras' own HDF5 files cannot hold these.
NOT_IN_HDF5 = {"quantized", "odd_names"}
PLAIN_CALLS = {"keras", "layers", "ops", "np", "range", "enumerate", "float", "zip", "reversed"}
IMPORTED = {"keras", "layers", "ops", "numpy"}
HOSTILE = st.text() | st.sampled_from(
    ["__import__('os').system('x')", "__import__", "eval", "os.system", "a); eval('1'", '"""', "\n"]
)
# ResNet152 is the one of hundreds of layers.
APPLICATIONS = ("MobileNetV2", "ResNet152", "DenseNet121", "EfficientNetB0", "InceptionV3")


@pytest.fixture(autouse=True)
def _fresh_keras() -> Any:
    # Without a pass of the garbage collector, which is slow where other tests have left much.
    keras.utils.clear_session(free_memory=False)
    yield
    keras.config.set_dtype_policy("float32")


def run(code: str) -> Any:
    keras.utils.clear_session(free_memory=False)
    scope: dict[str, Any] = {}
    exec(compile(code, "generated", "exec"), scope)
    return scope["build_model"]()


def config_of(model: Any) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(model.to_json())
    config.pop("compile_config", None)
    return config


def config_but_for_adapting(name: str, model: Any) -> dict[str, Any]:
    """Return a configuration, without what only `adapt` leaves in it."""
    config = config_of(model)
    for layer in config["config"]["layers"]:
        if name == "adapted_numbers":  # the size of the batch that it was adapted to
            layer.pop("build_config", None)
        if name == "adapted_bins":  # Keras takes the bins or their number
            layer["config"].pop("num_bins", None)
    return config


def inputs_of(model: Any) -> Any:
    rng = np.random.default_rng(5)

    def values(tensor: Any) -> Any:
        shape = [2 if place == 0 else size or 5 for place, size in enumerate(tensor.shape)]
        kind = keras.backend.standardize_dtype(tensor.dtype)
        if "int" in kind:
            return rng.integers(0, 6, shape).astype(kind)
        return rng.random(shape) > 0.3 if kind == "bool" else rng.random(shape).astype(kind)

    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return keras.tree.map_structure(values, inputs)


def assert_same_outputs(model: Any, again: Any, folder: Path) -> None:
    # By a file, which also holds what layers were adapted to.
    model.save_weights(folder / "model.weights.h5")
    again.load_weights(folder / "model.weights.h5")
    assert_equal_outputs(model, again)


def assert_equal_outputs(model: Any, again: Any) -> None:
    data = inputs_of(model)
    outputs = [
        [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(made(data))]
        for made in (model, again)
    ]
    for first, second in zip(*outputs, strict=True):
        assert first.dtype == second.dtype
        assert first.tobytes() == second.tobytes()


def assert_checked(code: str) -> None:
    for command in (("check",), ("format", "--check")):
        done = subprocess.run(
            [find_ruff_bin(), *command, "--isolated", "-"],
            input=code,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def assert_calls_only_keras(code: str) -> None:
    """Check that all that is called begins with keras, layers or ops, or is made by these."""
    tree = ast.parse(code)
    nodes = list(ast.walk(tree))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    bound |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
    assert not bound & (set(dir(builtins)) | {"keras", "layers", "ops", "np"})
    for node in nodes:
        assert not isinstance(node, (ast.Lambda, ast.Global, ast.Nonlocal, ast.ClassDef))
        if isinstance(node, ast.Call):
            root: ast.AST = node.func
            while isinstance(root, (ast.Attribute, ast.Subscript, ast.Call)):
                root = root.func if isinstance(root, ast.Call) else root.value
            assert isinstance(root, ast.Name), ast.unparse(node)
            assert root.id in bound | PLAIN_CALLS, ast.unparse(node)
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert {alias.name for alias in node.names} <= IMPORTED
            assert getattr(node, "module", "keras") == "keras"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_model_is_the_same(name: str, tmp_path: Path) -> None:
    model = ARCHITECTURES[name]()
    path = tmp_path / ("model.keras" if name in NOT_IN_HDF5 else "model.h5")
    model.save(path)
    description = read_description(path)
    own = "own_" in name or name == "named_lambda"
    if own:
        description = ModelDescription(
            description.model_config, description.origin, definitions=DEFINITIONS
        )
    code = generate_code(description)
    assert_checked(code)
    assert generate_code(description) == code
    if not own:
        assert_calls_only_keras(code)
    config = config_but_for_adapting(name, model)
    again = run(code)
    assert config_but_for_adapting(name, again) == config
    assert_same_outputs(model, again, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_is_the_same(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(96, 96, 3))
    config = config_of(model)
    code = generate_code(ModelDescription(config, name))
    assert_checked(code)
    assert name != "ResNet152" or len(code.splitlines()) < 150
    again = run(code)
    assert config_of(again) == config
    again.set_weights(model.get_weights())
    assert_equal_outputs(model, again)


def test_a_small_network_is_as_short_as_a_person_wrote_it() -> None:
    code = generate_code(ModelDescription(config_of(ARCHITECTURES["small_cnn"]()), "small"))
    body = code[code.index("def build_model") :].strip().splitlines()
    assert len(body) <= 12  # the function in architectures.py has as many


@pytest.mark.filterwarnings("ignore")
def test_vocabularies_are_written_out(tmp_path: Path) -> None:
    words, numbers = layers.StringLookup(), layers.IntegerLookup(output_mode="one_hot")
    texts = layers.TextVectorization(output_sequence_length=4)
    weighed = layers.TextVectorization(9, output_mode="tf_idf", pad_to_max_tokens=True)
    words.adapt(np.array(["b", "a", "b", 'it\'s "odd"']))
    numbers.adapt(np.array([3, 5, 3]))
    texts.adapt(np.array(["a b c", "b d"]))
    weighed.adapt(np.array(["a b c", "b d"]))
    for lookup, kind, data in (
        (words, "string", keras.ops.array([["a", 'it\'s "odd"']], "string")),
        (numbers, "int64", np.array([[5], [3]])),
        (texts, "string", keras.ops.array([["b c unseen"]], "string")),
        (weighed, "string", keras.ops.array([["b c unseen"]], "string")),
    ):
        inputs = keras.Input((data.shape[1],), dtype=kind)
        model = keras.Model(inputs, lookup(inputs))
        model.save(tmp_path / "model.keras")
        again = run(generate_code(read_description(tmp_path / "model.keras")))
        np.testing.assert_array_equal(model(data), again(data))


def test_a_subclass_is_made_from_its_source() -> None:
    scope: dict[str, Any] = {}
    exec(DEFINITIONS, scope)
    model = scope["Mlp"](units=5)
    model(np.zeros((1, 3), "float32"))
    description = ModelDescription(json.loads(model.to_json()), "own", definitions=DEFINITIONS)
    code = generate_code(description)
    assert "Mlp(units=5" in code
    assert [w.shape for w in run(code).weights] == [w.shape for w in model.weights]


def test_a_lambda_without_source_is_named() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Lambda(lambda x: x + 1, name="adder")(inputs))
    with pytest.raises(CodeGenerationError, match="adder"):
        generate_code(ModelDescription(config_of(model), "lambda"))


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os')",
        "eval('1')",
        "x = layers.Dense(print)(open('a'))",
        "import os",
        "a = 1\na.__class__",
    ],
)
def test_other_calls_are_noticed(code: str) -> None:
    with pytest.raises(AssertionError):
        assert_calls_only_keras(code)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(names=st.lists(HOSTILE, min_size=3, max_size=3), origin=HOSTILE, wrong=HOSTILE)
@pytest.mark.parametrize("key", ["name", "class_name", "module", "activation", "registered_name"])
def test_no_text_becomes_a_call(key: str, names: list[str], origin: str, wrong: str) -> None:
    config = copy.deepcopy(SMALL)
    inner = config["config"]
    inner["name"], entry = names[0], inner["layers"][1]
    entry["config"]["name"] = names[1]
    (entry["config"] if key in ("name", "activation") else entry)[key] = wrong
    try:
        code = generate_code(ModelDescription(config, origin))
    except CodeGenerationError:
        return
    assert_calls_only_keras(code)


SMALL = config_of(
    keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="relu"), layers.ReLU()])
)
