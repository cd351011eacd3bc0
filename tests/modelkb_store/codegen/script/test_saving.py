from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest

from modelkb_callbacks import ModelKB
from modelkb_store import Experiment, InvalidSettingError, Store
from modelkb_store.codegen.script.repository import repository_files
from modelkb_store.codegen.script.training_script import write_script

SCRIPT = """\
import keras
import numpy as np

from modelkb_callbacks import ModelKB

x = np.arange(24, dtype="float32").reshape(8, 3) / 24
model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x[:, 0], batch_size=4, epochs=2, callbacks=[ModelKB(project="p")], verbose=0)
"""


@pytest.fixture
def experiment(store: Path) -> Experiment:
    """A run that set no seed, recorded in this process."""
    x = np.arange(24, dtype="float32").reshape(8, 3) / 24
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, 0], batch_size=4, epochs=1, callbacks=[ModelKB(store=store)], verbose=0)
    opened = Store(store)
    return opened.experiment(opened.experiments()["experiment_id"].iloc[-1])


def test_a_script_and_a_notebook(experiment: Experiment, tmp_path: Path) -> None:
    script, *beside = experiment.save_script(tmp_path / "new" / "again.py")
    notebook, *_ = experiment.save_script(tmp_path / "again.ipynb", format="notebook")

    assert script == tmp_path / "new" / "again.py"
    compile(script.read_text(), str(script), "exec")
    assert all(path.exists() and path.name.startswith("again.") for path in beside)
    nbformat.validate(nbformat.read(notebook, as_version=nbformat.NO_CONVERT))
    assert "model.fit(" in experiment.script()


def test_a_folder_that_runs_elsewhere(experiment: Experiment, tmp_path: Path) -> None:
    written = experiment.save_script(tmp_path / "folder", format="repo")

    names = {str(path.relative_to(tmp_path / "folder")) for path in written}
    expected = {"requirements.txt", "runtime.txt", "Dockerfile", "README.md"}
    assert names >= {*expected, "binder/requirements.txt", "binder/runtime.txt"}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (tmp_path / "folder" / "runtime.txt").read_text() == f"python-{python}\n"
    requirements = (tmp_path / "folder" / "requirements.txt").read_text().splitlines()
    assert f"keras=={keras.__version__}" in requirements
    assert any(line.startswith("tensorflow==") for line in requirements)
    assert not any(line.startswith("pytest==") for line in requirements)
    dockerfile = (tmp_path / "folder" / "Dockerfile").read_text()
    assert dockerfile.startswith(f"FROM python:{python}-slim\n")
    for path in written:
        if path.suffix in (".py", ".h5", ".json") and path.parent == tmp_path / "folder":
            assert path.name in dockerfile


@pytest.mark.parametrize(
    ("name", "kind"), [("a.txt", "script"), ("a.py", "notebook"), ("a.py", "other")]
)
def test_names_go_with_the_format(
    experiment: Experiment, tmp_path: Path, name: str, kind: str
) -> None:
    with pytest.raises(InvalidSettingError):
        experiment.save_script(tmp_path / name, format=kind)


def test_files_of_a_folder_have_plain_names(recorded_factory: Callable[..., object]) -> None:
    recorded = recorded_factory(record={"name": "`# evil`\n# heading"})
    script = write_script(recorded, "train.py")  # type: ignore[arg-type]

    files = repository_files(recorded, script, "train.py")  # type: ignore[arg-type]

    readme = next(file.text for file in files if file.path == "README.md")
    assert "\n# heading" not in readme


@pytest.mark.slow
def test_a_run_without_a_seed_is_the_same_again(store: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "MODELKB_STORE": str(store)}
    path = tmp_path / "first.py"
    path.write_text(SCRIPT)
    subprocess.run([sys.executable, path], env=environment, check=True, timeout=200)
    first = Store(store).experiment(Store(store).experiments()["experiment_id"].iloc[0])
    again, *beside = first.save_script(tmp_path / "again.py")

    assert {each.name for each in beside} == {
        "again.initial.weights.h5",
        "again.random_states.json",
    }
    json.loads((tmp_path / "again.random_states.json").read_text())
    line = [sys.executable, "-c", "from modelkb_viewer.main import main; main()"]
    line += ["run", "--project", "again", str(again)]
    subprocess.run(line, env=environment, check=True, timeout=200)

    second = Store(store).experiment(Store(store).experiments("again")["experiment_id"].iloc[0])
    assert [r["value"] for r in first.table("metrics").to_pylist()] == [
        r["value"] for r in second.table("metrics").to_pylist()
    ]
