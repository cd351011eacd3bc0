"""The files of an experiment that tools with a place for files get beside its curves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelkb_store import Experiment
from modelkb_store.architecture_file import write_architecture
from modelkb_store.errors import ModelKBError
from modelkb_viewer.json_values import plain


def write_attached_files(
    experiment: Experiment, folder: Path, checkpoint: str | int | None
) -> list[str]:
    """Write what there is of an experiment into a folder.

    These are ``hyperparameters.json``, ``evaluations.json``, ``architecture.h5``,
    ``model.weights.h5``, the script in ``script/``, ``notes.txt``, and what
    the run kept in ``files/``.

    Args:
        experiment: The experiment.
        folder: An empty folder.
        checkpoint: Whose weights, as for :meth:`Experiment.save_weights`.

    Returns:
        What there is not, and why. A checkpoint that was asked for by name must be there.

    Raises:
        ArtifactNotFoundError: It is not.
    """
    evaluations = experiment.table("evaluations").to_pylist()
    _write_json(folder / "hyperparameters.json", experiment.hyperparameters())
    if evaluations:
        _write_json(folder / "evaluations.json", evaluations)
    if experiment.record.notes:
        (folder / "notes.txt").write_text(experiment.record.notes, encoding="utf-8")
    _write_kept_files(experiment, folder / "files")
    if checkpoint is not None:
        experiment.save_weights(folder / "model.weights.h5", checkpoint)
    parts: dict[str, Callable[[], Any]] = {
        "architecture": lambda: write_architecture(
            folder / "architecture.h5", experiment.architecture()
        ),
        "script": lambda: _write_script(experiment, folder / "script"),
    }
    if checkpoint is None:
        parts["weights"] = lambda: experiment.save_weights(folder / "model.weights.h5")
    left_out = []
    for name, write in parts.items():
        try:
            write()
        except ModelKBError as error:
            left_out.append(f"Without {name}: {error}")
    return left_out


def _write_script(experiment: Experiment, folder: Path) -> None:
    folder.mkdir()
    try:
        experiment.save_script(folder / "train.py")
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _write_kept_files(experiment: Experiment, folder: Path) -> None:
    for row in experiment.table("artifacts").to_pylist():
        if row["kind"] == "weights":  # of format 1; they come as a checkpoint
            continue
        folder.mkdir(exist_ok=True)
        name = Path(row["name"] or row["sha256"]).name
        if (folder / name).exists():
            name = f"{row['sha256'][:8]}-{name}"
        (folder / name).write_bytes(experiment.read_artifact(row["sha256"]))


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(plain(value), indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
