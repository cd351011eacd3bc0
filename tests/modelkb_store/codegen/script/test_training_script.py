from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelkb_store.codegen.script.recorded import Recorded, Setting
from modelkb_store.codegen.script.training_script import write_script
from modelkb_store.errors import CodeGenerationError

Factory = Callable[..., Recorded]
Ruff = Callable[[str], str]

SCRIPT = """\
import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers

SEED = 7
BATCH_SIZE = 4
EPOCHS = 2
LEARNING_RATE = 0.01


def build_model():
    return keras.Sequential(
        [keras.Input(shape=(3,)), layers.Dense(2, activation="relu")]
    )


keras.utils.set_random_seed(SEED)

model = build_model()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mse",
    metrics=["mae"],
)

x = np.random.rand(8, 3)
y = x[:, :2]

model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS)
"""
STATES = {"python": [3, [1] * 625, None], "keras:layer:dropout": [1, 2]}


def code_of(text: str) -> str:
    """Return a script without its head."""
    return text.partition('"""\n\n')[2]


def after(text: str, mark: str) -> str:
    return text.partition(mark)[2]


def test_a_script_as_a_person_writes_it(recorded_factory: Factory, ruff: Ruff) -> None:
    script = write_script(recorded_factory())

    assert code_of(script.text) == SCRIPT
    assert ruff(script.text) == ""
    assert script.initial_weights is None
    assert script.random_states is None
    assert script.modules == ("keras", "numpy", "os")


def test_a_start_of_its_own_is_loaded_before_fit(recorded_factory: Factory, ruff: Ruff) -> None:
    recorded = recorded_factory(has_initial_weights=True, random_states=STATES)

    script = write_script(recorded, "again.py")

    assert ruff(script.text) == ""
    assert after(script.text, "\nkeras.utils.set_random_seed(SEED)\n") == (
        """
x = np.random.rand(8, 3)
y = x[:, :2]

model = build_model()
model.load_weights(Path(__file__).with_name("again.initial.weights.h5"))
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mse",
    metrics=["mae"],
)
restore_random_states(Path(__file__).with_name("again.random_states.json"), model)
model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS)
"""
    )
    assert script.initial_weights == "again.initial.weights.h5"
    assert script.random_states == "again.random_states.json"


def test_a_start_without_states_is_only_loaded(recorded_factory: Factory) -> None:
    script = write_script(recorded_factory(has_initial_weights=True))

    assert "load_weights" in script.text
    assert "restore" not in code_of(script.text)
    assert "- the states of the random generators at the start" in script.text


def test_the_training_stays_in_its_blocks(recorded_factory: Factory, ruff: Ruff) -> None:
    text = (
        "import tempfile\n\nfor fold in range(3):\n"
        "    with tempfile.TemporaryDirectory() as folder:\n"
        '        fit_data = {"x": [fold, folder]}\n'
        "    if fold == 2:\n        break\n"
    )

    script = write_script(recorded_factory(text))

    assert ruff(script.text) == ""
    assert script.text.endswith(
        "for fold in range(3):\n"
        "    with tempfile.TemporaryDirectory() as folder:\n"
        "        if fold == 2:\n"
        "            model.fit([fold, folder], batch_size=BATCH_SIZE, epochs=EPOCHS)\n"
        "    if fold == 2:\n        break\n"
    )


def test_a_block_trains_the_model_that_it_names(recorded_factory: Factory) -> None:
    text = (
        "from modelkb_callbacks import experiment\n\nexperiment_model = net\n"
        "with experiment(net) as run:\n    net.train_on_batch(1, 2)\n"
    )

    script = write_script(recorded_factory(text))

    assert "\nnet = build_model()\nnet.compile(\n" in script.text
    assert script.text.endswith("\nwith experiment(net) as run:\n    net.train_on_batch(1, 2)\n")
    assert "fit(" not in code_of(script.text)
    assert "It records itself with ModelKB" in script.text


def test_the_model_comes_right_after_the_last_seed(recorded_factory: Factory) -> None:
    text = (
        "import keras\nimport numpy as np\n\nkeras.utils.set_random_seed(1)\n"
        "x = np.random.rand(3)\nkeras.utils.set_random_seed(7)\n"
        'y = np.random.rand(3)\nfit_data = {"x": x, "y": y}\n'
    )

    body = after(write_script(recorded_factory(text)).text, "\n\n\nkeras.utils")

    order = ["seed(1)", "x = ", "seed(SEED)", "model = ", "model.compile", "y = ", "model.fit"]
    assert [body.index(each) for each in order] == sorted(body.index(each) for each in order)


def test_a_seed_that_the_program_computes_has_no_constant(recorded_factory: Factory) -> None:
    text = (
        'import keras\n\nseed = 3 + 4\nkeras.utils.set_random_seed(seed)\nfit_data = {"x": seed}\n'
    )

    script = write_script(recorded_factory(text)).text

    assert "keras.utils.set_random_seed(seed)\nmodel = build_model()\n" in script
    assert "SEED" not in script


def test_another_seed_of_the_data_is_set_before(recorded_factory: Factory) -> None:
    text = (
        "import keras\nimport numpy as np\n\nkeras.utils.set_random_seed(1)\n"
        'x = np.random.rand(3)\nfit_data = {"x": x}\n'
    )

    body = after(write_script(recorded_factory(text)).text, "\n\n\nkeras.utils")

    order = ["seed(1)", "x = ", "seed(SEED)", "model = ", "model.fit"]
    assert [body.index(each) for each in order] == sorted(body.index(each) for each in order)


def test_names_of_the_users_keep_their_meaning(recorded_factory: Factory, ruff: Ruff) -> None:
    text = (
        "from elsewhere import layers\n\nSEED = 3\nbuild_model = layers()\n"
        'model = build_model + SEED\nfit_data = {"x": model}\n'
    )

    script = write_script(recorded_factory(text))

    assert ruff(script.text) == ""
    assert "from keras import layers as keras_layers" in script.text
    assert "keras_layers.Dense(2" in script.text
    assert "TRAINING_SEED = 7\n" in script.text
    assert "\nmodel_2 = build_model_2()\n" in script.text
    assert "\nmodel_2.fit(model, batch" in script.text


def test_command_line_and_environment_are_constants(recorded_factory: Factory, ruff: Ruff) -> None:
    text = "import os\nimport sys\n\nx = os.environ['DATA'] + sys.argv[1]\nfit_data = {'x': x}\n"
    recorded = recorded_factory(
        text,
        settings={"DATA": Setting("/data\n'", "environment")},
        record={"command_line": ("python", "train.py", "a'b\"")},
    )

    script = write_script(recorded)

    assert ruff(script.text) == ""
    assert 'os.environ["DATA"] = "/data\\n\'"\n' in script.text
    assert "sys.argv[1:] = ARGUMENTS\n" in script.text
    assert 'ARGUMENTS = ["a\'b\\""]' in script.text or "ARGUMENTS = ['a\\'b\"']" in script.text


def test_definitions_stand_once(recorded_factory: Factory, ruff: Ruff) -> None:
    shared = "SIZE = 3\n\n\ndef scaled(x):\n    return x * SIZE\n"
    text = f"import numpy as np\n\n{shared}\n\nfit_data = {{'x': scaled(np.ones(3))}}\n"
    definitions = f"import keras\n\n{shared}\n\ndef my_loss(a, b):\n    return scaled(a - b)\n"
    loss = {"module": "builtins", "class_name": "function", "config": "my_loss"}

    script = write_script(
        recorded_factory(text, definitions=definitions, compile_config={"loss": loss})
    )

    assert ruff(script.text) == ""
    assert script.text.count("def scaled") == 1
    assert script.text.count("SIZE = 3") == 1
    assert "model.compile(loss=my_loss)" in script.text


def test_evaluations_are_printed(recorded_factory: Factory) -> None:
    text = 'x = [1]\nfit_data = {"x": x}\ntest = [2]\nevaluate_data = {"x": test, "verbose": 0}\n'

    script = write_script(recorded_factory(text))

    assert script.text.endswith(
        "\n\ntest = [2]\nprint(model.evaluate(test, verbose=0, return_dict=True))\n"
    )


def test_what_is_missing_is_said(recorded_factory: Factory) -> None:
    recorded = recorded_factory(
        None,
        record={"seed": None, "problems": ("a problem",), "status": "interrupted"},
        implementation={"source_problems": ["a source problem"], "git_difference": "diff"},
        settings={"callbacks": Setting([{"class_name": "Lost", "config": {}}], "fit")},
        compile_config=None,
        splits=frozenset({"test"}),
    )

    header = " ".join(write_script(recorded).header.split())

    for part in (
        "- a problem",
        "- a source problem",
        "- data slice: the statements that made the data",
        "- the weights at the start: the run set no seed",
        "- git: the working tree differed",
        "- the end: the run is interrupted after 2 epochs",
        "- compile: how the model was compiled is not known",
        "- callbacks: Lost, whose source is not known",
    ):
        assert part in header


@pytest.mark.parametrize("data_slice", [None, "fit_data = {}\n"])  # the latter of a library
def test_a_script_without_data_says_where_to_put_it(
    recorded_factory: Factory, ruff: Ruff, data_slice: str | None
) -> None:
    script = write_script(recorded_factory(data_slice))

    assert ruff(script.text) == ""
    assert "x, y = None, None  # the data was not recorded: put it here\n" in script.text
    assert "raise SystemExit(" in script.text
    assert "data slice: the statements that made the data" in " ".join(script.header.split())


def test_models_that_keras_cannot_serialize_are_constructed(recorded_factory: Factory) -> None:
    definitions = (
        "import keras\n\n\nclass Net(keras.Model):\n    def __init__(self, units, rate=0.5):\n"
        "        super().__init__()\n"
    )
    recorded = recorded_factory(
        definitions=definitions,
        model_config=None,
        implementation={"model_class": "__main__.Net"},
        settings={"model.units": Setting(4, "model"), "model.rate": Setting(0.1, "model")},
    )

    assert "    return Net(units=4, rate=0.1)\n" in write_script(recorded).text


def test_a_model_of_which_nothing_is_known_is_an_error(recorded_factory: Factory) -> None:
    unknown = recorded_factory(model_config=None, implementation={"model_class": "__main__.Net"})
    with pytest.raises(CodeGenerationError, match="neither its configuration nor the source"):
        write_script(unknown)


def test_a_run_without_a_model_has_no_script(recorded_factory: Factory) -> None:
    with pytest.raises(CodeGenerationError, match="no model was recorded with it"):
        write_script(recorded_factory(model_config=None, record={"model_id": None}))


def test_cells_of_a_notebook_are_the_script(recorded_factory: Factory) -> None:
    recorded = recorded_factory(has_initial_weights=True, random_states=STATES)

    script = write_script(recorded, "train.ipynb", in_notebook=True)

    titles = [title for title, _ in script.cells]
    assert titles == ["Imports and settings", "Constants", "Model", "Start", "Data", "Training"]
    code = dict(script.cells)
    assert code["Constants"].startswith("SEED = 7\n")
    assert code["Data"] == "x = np.random.rand(8, 3)\ny = x[:, :2]"
    assert 'model.load_weights("train.initial.weights.h5")' in code["Training"]
    assert "__file__" not in str(script.cells)
    assert "Run it with: jupyter lab train.ipynb\n" in script.header
    assert "modelkb run" not in script.header


HOSTILE = st.sampled_from(
    ['"""; import evil #', "'\nimport evil\n'", "a\\", "\u2028evil()", "{{ evil }}"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(name=HOSTILE, value=HOSTILE, word=HOSTILE)
def test_hostile_names_stay_texts(
    recorded_factory: Factory, name: str, value: str, word: str
) -> None:
    recorded = recorded_factory(
        project=name,
        record={"name": name, "notes": value, "problems": (word,), "command_line": (word, word)},
        environment={
            "backend": word,
            "dtype_policy": value,
            "keras_version": name,
            "variables": {"XLA_FLAGS": value, "PYTHONHASHSEED": word, name: value},
        },
        settings={
            value: Setting(word, "environment"),
            "callbacks": Setting([{"class_name": name, "config": {value: word}}], "fit"),
            "verbose": Setting(word, "fit"),
            "class_weight": Setting({"0": word}, "fit"),
        },
        implementation={"script": name, "model_class": value, "git_difference": word},
        has_initial_weights=True,
        random_states={**STATES, name: value},
    )

    tree = ast.parse(write_script(recorded, f"{word}.py").text)

    called: set[Any] = {getattr(node, "id", None) for node in ast.walk(tree)}
    modules = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "evil" not in called | modules


def test_it_runs(recorded_factory: Factory, tmp_path: Path) -> None:
    text = write_script(recorded_factory()).text
    module: dict[str, Any] = {"__file__": str(tmp_path / "train.py")}

    exec(compile(text, "train.py", "exec"), module)

    assert module["model"].optimizer.iterations == 4
