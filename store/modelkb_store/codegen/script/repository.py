"""A folder that runs a script elsewhere: with pip, Docker, repo2docker or Binder.

repo2docker takes its files from a folder ``binder`` if there is one, and otherwise prefers a
Dockerfile, which would then have to bring Jupyter. So ``binder`` refers to the same requirements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modelkb_store.codegen.script.header import one_line
from modelkb_store.codegen.script.recorded import Recorded
from modelkb_store.codegen.script.requirements import requirements_of
from modelkb_store.codegen.script.training_script import TrainingScript
from modelkb_store.codegen.templates import render

_TEMPLATES = Path(__file__).parent / "templates"
_DEFAULT_PYTHON = "3.11"


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """One text file of the folder: its path in it, and what it holds."""

    path: str
    text: str


def repository_files(
    recorded: Recorded, script: TrainingScript, file_name: str
) -> list[RepositoryFile]:
    """Return the files around a script; it is one of them.

    Args:
        recorded: The experiment.
        script: Its script.
        file_name: The script's name in the folder, of plain characters.
    """
    python = _python_version(recorded)
    distributions = dict(recorded.environment.get("distributions") or {})
    needed = requirements_of(script.modules, recorded.backend, distributions)
    companions = [each for each in (script.initial_weights, script.random_states) if each]
    context = {
        "script": file_name,
        "python": python,
        "companions": companions,
        "unknown": needed.unknown,
        "experiment": one_line(recorded.record.experiment_id),
        "fence": "~" * 3,
        "header": "\n".join(f"    {line}" for line in script.header.splitlines()),
    }
    return [
        RepositoryFile(file_name, script.text),
        RepositoryFile("requirements.txt", "".join(f"{line}\n" for line in needed.pinned)),
        RepositoryFile("runtime.txt", f"python-{python}\n"),
        RepositoryFile("binder/requirements.txt", "-r ../requirements.txt\n"),
        RepositoryFile("binder/runtime.txt", f"python-{python}\n"),
        RepositoryFile("Dockerfile", render(_TEMPLATES, "Dockerfile.j2", **context)),
        RepositoryFile("README.md", render(_TEMPLATES, "README.md.j2", **context)),
    ]


def _python_version(recorded: Recorded) -> str:
    """Return major and minor version, as images and repo2docker name them."""
    version = str(recorded.environment.get("python_version") or "")
    match = re.match(r"3\.[0-9]+", version)
    return match[0] if match else _DEFAULT_PYTHON
