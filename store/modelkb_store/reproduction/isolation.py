"""A virtual environment with the versions that a run had."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from modelkb_store.codegen.script.imports import modules_in
from modelkb_store.codegen.script.requirements import requirements_of
from modelkb_store.experiment import Experiment
from modelkb_store.reproduction.cause import Cause
from modelkb_store.reproduction.following import run_program

# What recording a training imports.
_FOR_RECORDING = ("h5py", "keras", "numpy", "pandas", "psutil", "pyarrow", "wrapt")
_OWN = "modelkb"
# Distributions of a backend that are not called so, by the beginning of their names.
_ALSO = {"tensorflow": ("tensorflow", "tf-nightly")}
# They would lead out of the virtual environment.
_LEADING_OUT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


class IsolatedPythons:
    """Virtual environments of the running Python, one for each set of requirements.

    Args:
        folder: Where they are made.
        packages: Folders of the packages that record, which are linked into them.
        tell: Gets what pip prints.
    """

    def __init__(
        self, folder: Path, packages: Collection[Path], tell: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._packages = packages
        self._tell = tell
        self._made: dict[str, Path] = {}

    def python_for(self, original: Experiment, script: Path) -> Path | Cause:
        """Return the interpreter for an experiment's script, or why there is none.

        Args:
            original: The experiment.
            script: Its script, which says what is imported.
        """
        needed = requirements_for(original, script)
        key = hashlib.sha256("\n".join(needed).encode()).hexdigest()[:16]
        if key not in self._made:
            made = self._make(self._folder / key, needed)
            if isinstance(made, Cause):
                return made
            self._made[key] = made
        return self._made[key]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment variables for such an interpreter: ModelKB is found, no more."""
        links = self._folder / "packages"
        links.mkdir(parents=True, exist_ok=True)
        for package in self._packages:
            if not (links / package.name).exists():
                (links / package.name).symlink_to(package, target_is_directory=True)
        plain = {name: value for name, value in environ.items() if name not in _LEADING_OUT}
        return {**plain, "PYTHONPATH": str(links)}

    def _make(self, folder: Path, needed: tuple[str, ...]) -> Path | Cause:
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        environment = {
            name: value for name, value in os.environ.items() if name not in _LEADING_OUT
        }
        folder.mkdir(parents=True)
        (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in needed))
        pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        steps = {
            "a virtual environment could not be made": [sys.executable, "-m", "venv", str(folder)],
            "pip could not install the recorded versions": [
                *pip,
                "-r",
                str(folder / "requirements.txt"),
            ],
        }
        for failure, line in steps.items():
            ended = run_program(line, environment, self._tell)
            if ended.exit_code:
                return Cause("isolation", f"{failure}: {ended.error}")
        return python


def requirements_for(original: Experiment, script: Path) -> tuple[str, ...]:
    """Return what a script and its recording need, pinned to what the run had."""
    environment = original.environment()
    versions = dict(environment.get("distributions") or {})
    modules = [*modules_in(script.read_text(encoding="utf-8")), *_FOR_RECORDING]
    backend = str(environment.get("backend") or "tensorflow")
    pinned = requirements_of(dict.fromkeys(modules), backend, versions).pinned
    lines = [line for line in pinned if not line.startswith(f"{_OWN}==")]
    # Of a run that did not record them, any version will do.
    named = {line.partition("==")[0].lower() for line in lines}
    missing = [name for name in _FOR_RECORDING if name not in named]
    if not any(name.startswith(_ALSO.get(backend, backend)) for name in named):
        missing.append(backend)
    return (*lines, *missing)
