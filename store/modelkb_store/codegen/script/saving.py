"""Writing the script of an experiment, and what it needs, into files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelkb_store.codegen.script.notebook import notebook_text
from modelkb_store.codegen.script.random_states import states_file
from modelkb_store.codegen.script.recorded import INITIAL, Recorded, read_recorded
from modelkb_store.codegen.script.repository import repository_files
from modelkb_store.codegen.script.training_script import TrainingScript, write_script
from modelkb_store.errors import InvalidSettingError

if TYPE_CHECKING:
    from modelkb_store.experiment import Experiment

FORMATS = ("script", "notebook", "repo")
_SUFFIXES = {"script": ".py", "notebook": ".ipynb"}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.py")
_DEFAULT_NAME = "train.py"


@dataclass(frozen=True, slots=True)
class ShownScript:
    """A script or notebook as text.

    Attributes:
        text: What it holds.
        companions: The files beside it, that only writing it makes.
        missing: What could not be recorded, or not be written, as sentences for people.
        unwritten: Those of them that the script has otherwise than the run, or not at all.
    """

    text: str
    companions: tuple[str, ...]
    missing: tuple[str, ...]
    unwritten: tuple[str, ...] = ()


def shown_script(experiment: Experiment, kind: str = "script") -> ShownScript:
    """Return what can be printed.

    Args:
        experiment: The experiment.
        kind: ``script`` or ``notebook``.
    """
    _check_format(kind, tuple(_SUFFIXES))
    recorded = read_recorded(experiment)
    name = _DEFAULT_NAME.replace(".py", _SUFFIXES[kind])
    script = write_script(recorded, name, in_notebook=kind == "notebook")
    text = script.text if kind == "script" else _notebook(recorded, script)
    companions = [each for each in (script.initial_weights, script.random_states) if each]
    return ShownScript(text, tuple(companions), script.missing, script.unwritten)


def save_script(experiment: Experiment, path: Path, kind: str = "script") -> list[Path]:
    """Write a script, a notebook or a folder, and the files beside it.

    Args:
        experiment: The experiment.
        path: The file; for ``repo`` the folder, which is made.
        kind: ``script``, ``notebook`` or ``repo``.

    Returns:
        The files that were written, the script first.

    Raises:
        CodeGenerationError: The model was not recorded, or cannot be written.
        InvalidSettingError: There is no such format, or the name does not go with it.
    """
    _check_format(kind, FORMATS)
    recorded = read_recorded(experiment)
    if kind == "repo":
        return _save_repository(experiment, recorded, path)
    suffix = _SUFFIXES[kind]
    if path.suffix != suffix:
        raise InvalidSettingError("path", str(path), f"a name that ends with {suffix}")
    script = write_script(recorded, path.name, in_notebook=kind == "notebook")
    text = script.text if kind == "script" else _notebook(recorded, script)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [path, *_save_companions(experiment, recorded, script, path.parent)]


def _save_repository(experiment: Experiment, recorded: Recorded, folder: Path) -> list[Path]:
    own_name = recorded.text("script")
    name = own_name if _PLAIN_NAME.fullmatch(own_name) else _DEFAULT_NAME
    script = write_script(recorded, name)
    found = []
    for file in repository_files(recorded, script, name):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
        found.append(path)
    return [*found, *_save_companions(experiment, recorded, script, folder)]


def _save_companions(
    experiment: Experiment, recorded: Recorded, script: TrainingScript, folder: Path
) -> list[Path]:
    writers: list[tuple[str | None, Callable[[Path], object]]] = [
        (script.initial_weights, lambda path: experiment.save_weights(path, INITIAL)),
        (
            script.random_states,
            lambda path: path.write_text(states_file(recorded.random_states), encoding="utf-8"),
        ),
    ]
    found = []
    for name, write in writers:
        if name is not None:
            write(folder / name)
            found.append(folder / name)
    return found


def _notebook(recorded: Recorded, script: TrainingScript) -> str:
    version = str(recorded.environment.get("python_version") or "")
    return notebook_text(script.header, script.cells, version)


def _check_format(kind: str, known: tuple[str, ...]) -> None:
    if kind not in known:
        raise InvalidSettingError("format", kind, f"one of {', '.join(known)}")
