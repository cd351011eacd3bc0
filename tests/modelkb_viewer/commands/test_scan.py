from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Modelkb = Callable[..., Any]

_SCRIPT = """\
import sys
import keras
from keras.layers import Dense

UNITS = 8
(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
model = keras.Sequential([Dense(UNITS), Dense(UNITS), Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=int(sys.argv[1]), validation_data=(x_test, y_test))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(_SCRIPT)
    return path


def test_json(modelkb: Modelkb, script: Path) -> None:
    ended = modelkb("scan", script, "--json")

    assert ended.exit_code == 0
    assert list(ended.json) == [
        "datasets",
        "models",
        "compile",
        "fit",
        "hyperparameters",
        "imports",
        "unresolved",
        "warnings",
    ]
    assert ended.json["hyperparameters"] == {"UNITS": 8}


def test_tables(modelkb: Modelkb, script: Path) -> None:
    ended = modelkb("scan", script)

    assert ended.exit_code == 0
    lines = [" ".join(line.split()) for line in ended.output.split("\n")]
    titles = ["Warnings", "Data", "Models", "Compile", "Fit", "Hyperparameters"]
    assert [line for line in lines if line in titles] == titles
    assert "train.py:7 sequential model 2 x Dense, Dense" not in lines
    assert "train.py:7 sequential model 3 x Dense" in lines
    assert "UNITS 8" in lines
    assert "train.py:9 int(sys.argv[1]) an argument of the command line" in lines
    (warning,) = (line for line in lines if "test-as-validation" in line)
    assert warning.startswith("train.py:9 test-as-validation validation_data is the test split")


def test_a_script_without_keras(modelkb: Modelkb, tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("print('hello')\n")

    ended = modelkb("scan", tmp_path / "other.py")

    assert ended.exit_code == 0
    assert ended.output == "Nothing of Keras was found in other.py.\n"


def test_a_missing_file(modelkb: Modelkb, tmp_path: Path) -> None:
    ended = modelkb("scan", tmp_path / "nothing.py")

    assert ended.exit_code == 1
    assert ended.output == ""
    assert str(tmp_path / "nothing.py") in ended.errors


def test_no_training_package_is_imported(script: Path) -> None:
    program = (
        "import json, sys\n"
        "from modelkb_viewer.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program, "scan", str(script), "--json"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    unwanted = {"keras", "tensorflow", "numpy", "pandas", "pyarrow", "h5py"}
    assert unwanted.isdisjoint(json.loads(ended.stderr))
