from __future__ import annotations

import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import pytest

from modelkb_callbacks.user_source import ModelKBSourceWarning, UserSource
from modelkb_store import Experiment, Store

CALLER = """
from modelkb_callbacks.user_source import UserSource

UNITS = {units}

def train():
    return UserSource.of_caller()

source = train()
"""

TRAINING = """
import keras
import numpy as np
from modelkb_callbacks import ModelKB

UNITS = 4
BATCH_SIZE = 16
epochs = 9

def load(password="hunter2hunter2"):
    table = np.random.default_rng(1).normal(size=(64, 3))
    return table.astype("float32"), (table[:, 0] > 0).astype("int64")

class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x

x, y = load(password="hunter3hunter3")
model = keras.Sequential(
    [keras.layers.Dense(UNITS), Twice(), keras.layers.Dense(2, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
recorder = ModelKB(store={store!r}, strict=True, silence={silence!r})
model.fit(
    x, y, batch_size=BATCH_SIZE, epochs=2, verbose=0, callbacks=[recorder]
)
"""

MISTAKE = """
import keras
from modelkb_callbacks import ModelKB

model = keras.Sequential([keras.layers.Dense(1, activation="softmax")])
model.compile("adam", "binary_crossentropy")
ModelKB(store={store!r}, silence={silence!r})
"""


def run_script(folder: Path, name: str, text: str, **values: Any) -> dict[str, Any]:
    path = folder / name
    path.write_text(text.format(**values))
    return runpy.run_path(str(path), run_name="__main__")


@pytest.fixture
def trained(store: Path, tmp_path: Path) -> Experiment:
    """An experiment whose script is known."""
    run_script(tmp_path, "train.py", TRAINING, store=str(store), silence=())
    return Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])


def test_the_callers_frames_are_found(tmp_path: Path) -> None:
    source = run_script(tmp_path, "caller.py", CALLER, units=3)["source"]

    assert [frame.function for frame in source.frames] == ["train", "<module>"]
    assert [each.name for each in source.sources] == ["caller.py"]


def test_without_a_source_nothing_is_known() -> None:
    assert UserSource().hyperparameters == {}
    assert UserSource().datasets is None
    assert UserSource().warning_texts() == ()


def test_constants_are_recorded_with_their_source(trained: Experiment) -> None:
    rows = {row["name"]: row for row in trained.table("hyperparameters").to_pylist()}

    assert (rows["UNITS"]["value"], rows["UNITS"]["source"]) == ("4", "scanner")
    assert rows["BATCH_SIZE"]["source"] == "scanner"
    assert (rows["batch_size"]["value"], rows["batch_size"]["source"]) == ("16", "fit")


def test_the_run_wins_over_the_source(trained: Experiment) -> None:
    row = next(
        row for row in trained.table("hyperparameters").to_pylist() if row["name"] == "epochs"
    )

    assert (row["value"], row["source"]) == ("2", "fit")


def test_the_data_slice_makes_the_same_data(trained: Experiment, store: Path) -> None:
    names: dict[str, Any] = {}
    text = trained.implementation()["data_slice"]
    exec(text, names)

    assert names["fit_data"]["x"].shape == (64, 3)
    assert set(names["fit_data"]) == {"x", "y"}
    assert "Sequential" not in text
    assert "ModelKB" not in text


def test_definitions_hold_what_is_the_users_own(trained: Experiment, store: Path) -> None:
    text = trained.implementation()["definitions"]

    assert "class Twice(keras.layers.Layer):" in text
    assert "def load" not in text
    compile(text, "definitions", "exec")


def test_no_secret_of_the_source_is_kept(trained: Experiment, store: Path) -> None:
    assert trained.record.status == "finished"
    for path in store.rglob("*.parquet"):
        import pyarrow.parquet as pq

        assert "hunter" not in str(pq.read_table(path).to_pylist()), path


def test_mistakes_are_told_when_the_callback_is_made(store: Path, tmp_path: Path) -> None:
    with pytest.warns(ModelKBSourceWarning, match="loss-activation") as told:
        run_script(tmp_path, "mistake.py", MISTAKE, store=str(store), silence=())

    warning = next(each for each in told if "loss-activation" in str(each.message))
    assert Path(warning.filename).name == "mistake.py"
    assert warning.lineno == MISTAKE.splitlines().index(
        'model.compile("adam", "binary_crossentropy")'
    ) + 1  # fmt: skip


def test_each_mistake_is_told_once(store: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(2):
            run_script(tmp_path, "again.py", MISTAKE, store=str(store), silence=())

    texts = [str(each.message) for each in told if "loss-activation" in str(each.message)]
    assert len(texts) == 1


@pytest.mark.parametrize("how", ["setting", "variable"])
def test_a_code_can_be_silenced(
    how: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "variable":
        monkeypatch.setenv("MODELKB_SILENCE", "loss-activation, other")
    silence = ["loss-activation"] if how == "setting" else []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run_script(tmp_path, f"silent_{how}.py", MISTAKE, store=str(store), silence=silence)

    assert [each for each in told if "loss-activation" in str(each.message)] == []


def test_filters_that_raise_do_not_stop_a_training(store: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_script(tmp_path, "strict_filters.py", MISTAKE, store=str(store), silence=())


def test_where_data_comes_from_is_recorded(store: Path, tmp_path: Path) -> None:
    text = TRAINING.replace(
        "import keras\n", "import keras\nfrom sklearn.datasets import load_iris\n", 1
    ).replace('x, y = load(password="hunter3hunter3")', "x, y = load_iris(return_X_y=True)")
    text = text.replace("keras.layers.Dense(2,", "keras.layers.Dense(3,")
    run_script(tmp_path, "iris.py", text, store=str(store), silence=())
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])

    found = json.loads(experiment.dataset()["source"])
    assert [each["loader"] for each in found] == ["sklearn.datasets.load_iris"]


ARGUMENTS = """
import argparse, os
import keras
import numpy as np
from modelkb_callbacks import ModelKB

def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--dropout", type=float, default=0.1)
    return parser.parse_args()

SCALE = float(os.environ.get("SCALE", "1.0"))

def never_called(temperature=3.0):
    return keras.layers.Dense(int(temperature))

def main():
    args = parse()
    x = np.ones((16, 2), "float32") * SCALE
    model = keras.Sequential([keras.layers.Dense(args.hidden), keras.layers.Dropout(args.dropout)])
    model.compile("sgd", "mse")
    model.fit(x, np.ones((16, args.hidden)), verbose=0, callbacks=[ModelKB(store={store!r})])

main()
"""


def test_values_are_those_that_the_run_had(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["arguments.py", "--hidden", "4"])
    monkeypatch.setenv("SCALE", "2.5")
    run_script(tmp_path, "arguments.py", ARGUMENTS, store=str(store))
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    rows = {row["name"]: row for row in experiment.table("hyperparameters").to_pylist()}

    assert (rows["hidden"]["value"], rows["hidden"]["source"]) == ("4", "variable")
    assert (rows["dropout"]["value"], rows["dropout"]["source"]) == ("0.1", "scanner")
    scale = rows["SCALE"]
    assert (scale["value"], scale["source"], scale["number"]) == ('"2.5"', "environment", 2.5)
    assert "temperature" not in rows
    assert not any("environment" in each for each in experiment.implementation()["source_problems"])


BLOCK = """
import keras
from modelkb_callbacks import experiment

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
with experiment(model, store={store!r}, strict=True) as run:
    run.log(loss=1.0)
"""


def test_a_block_without_a_fit_is_its_own_data_slice(store: Path, tmp_path: Path) -> None:
    run_script(tmp_path, "block.py", BLOCK, store=str(store))
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])

    implementation = experiment.implementation()
    text = implementation["data_slice"]
    assert text.startswith("from modelkb_callbacks import experiment\n\nexperiment_model = model\n")
    assert text.endswith("strict=True) as run:\n    run.log(loss=1.0)\n")
    assert implementation["source_problems"] == []


FIT_IN_BLOCK = BLOCK.replace("run.log(loss=1.0)", "model.fit([[1.0, 2.0]], [[1.0]], verbose=0)")


def test_a_block_with_a_fit_has_that_of_the_fit(store: Path, tmp_path: Path) -> None:
    text = 'import numpy as np\nmodel.compile("sgd", "mse")\nx = np.ones((4, 2))\nwith experiment'
    script = FIT_IN_BLOCK.replace("[[1.0, 2.0]], [[1.0]]", "x, x[:, :1]")
    run_script(tmp_path, "block.py", script.replace("with experiment", text), store=str(store))
    experiment = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    assert experiment.implementation()["data_slice"] == (
        'import numpy as np\n\nx = np.ones((4, 2))\nfit_data = {"x": x, "y": x[:, :1]}\n'
    )
