from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import modelkb_callbacks
import modelkb_store
from modelkb_store import Experiment
from modelkb_store.ids import content_id
from modelkb_store.records import NamedVersion
from modelkb_store.reproduction import Cause, IsolatedPythons
from modelkb_store.reproduction.isolation import requirements_for
from small_experiment import ENVIRONMENT

RunFactory = Callable[..., Experiment]

PACKAGES = [Path(each.__path__[0]) for each in (modelkb_callbacks, modelkb_store)]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script with imports."""
    path = tmp_path / "train.py"
    path.write_text("import os\nimport keras\nfrom sklearn import datasets\n")
    return path


def with_versions(**versions: str) -> object:
    distributions = tuple(
        NamedVersion(name.replace("_", "-"), version) for name, version in versions.items()
    )
    environment_id = content_id(sorted(versions.items()))
    return replace(ENVIRONMENT, environment_id=environment_id, distributions=distributions)


def test_requirements_are_of_the_script_and_of_recording(
    run_factory: RunFactory, script: Path
) -> None:
    versions = {"tensorflow": "2.16.1", "keras": "3.5.0", "numpy": "1.26.4", "h5py": "3.10.0",
                "pandas": "2.1.0", "psutil": "5.9.0", "pyarrow": "16.0.0", "scikit_learn": "1.3.0",
                "polars": "1.0.0", "modelkb": "0.1.0"}  # fmt: skip
    found = requirements_for(run_factory(environment=with_versions(**versions)), script)

    assert {"tensorflow==2.16.1", "keras==3.5.0", "scikit-learn==1.3.0", "pyarrow==16.0.0"} <= set(
        found
    )
    assert "wrapt" in found  # any version: the run did not say
    assert not [line for line in found if line.startswith(("polars", "modelkb"))]


def test_the_backend_is_needed_under_whichever_name(run_factory: RunFactory, script: Path) -> None:
    cpu = run_factory(environment=with_versions(tensorflow_cpu="2.16.1"))
    none = run_factory(environment=with_versions(numpy="2.0.0"))

    assert "tensorflow" not in requirements_for(cpu, script)
    assert "tensorflow-cpu==2.16.1" in requirements_for(cpu, script)
    assert "tensorflow" in requirements_for(none, script)


def test_of_this_installation_only_modelkb_is_found(tmp_path: Path) -> None:
    pythons = IsolatedPythons(tmp_path / "environments", PACKAGES, print)

    environment = pythons.environment({**os.environ, "PYTHONPATH": "/elsewhere", "A": "b"})
    pythons.environment(os.environ)  # a second time changes nothing

    assert environment["A"] == "b"
    folder = Path(environment["PYTHONPATH"])
    assert sorted(each.name for each in folder.iterdir()) == ["modelkb_callbacks", "modelkb_store"]
    assert (folder / "modelkb_callbacks/startup/sitecustomize.py").exists()


@pytest.mark.slow
def test_a_version_that_is_not_there_is_told(
    run_factory: RunFactory,
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lines: list[str] = []
    pythons = IsolatedPythons(tmp_path / "environments", PACKAGES, lines.append)

    cause = pythons.python_for(run_factory(environment=with_versions(keras="99.0")), script)

    assert isinstance(cause, Cause)
    assert cause.kind == "isolation"
    assert cause.text.startswith("pip could not install the recorded versions: ")
    assert "keras==99.0" in cause.text
    assert any("keras==99.0" in line for line in lines)


@pytest.mark.slow
def test_equal_requirements_share_an_environment_that_has_nothing_else(
    run_factory: RunFactory,
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(
        "modelkb_store.reproduction.isolation.requirements_for", lambda original, script: ()
    )
    pythons = IsolatedPythons(tmp_path / "environments", PACKAGES, print)

    python = pythons.python_for(run_factory(), script)

    assert isinstance(python, Path)
    assert pythons.python_for(run_factory(), script) == python
    look = (
        "import sys; from importlib.util import find_spec; "
        "print(sys.prefix, find_spec('keras'), find_spec('modelkb_store').name)"
    )
    line = [str(python), "-c", look]
    done = subprocess.run(
        line, env=pythons.environment(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(python.parent.parent), "None", "modelkb_store"]
    assert str(python.parent.parent) != sys.prefix
