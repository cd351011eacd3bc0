"""Every example runs as a user would run it, and is recorded whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelkb_store import Store

FOLDER = Path(__file__).parents[2] / "examples"
# The job for Spark trains nothing and has tests of its own.
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.stem != "spark_store")
TASKS = {
    "digits_classifier": ["classification"],
    "two_inputs": ["classification"],
    "diabetes_regression": ["regression"],
    "image_folder": ["classification"],
    "transfer_learning": ["classification", "classification"],
    "own_training_loop": ["classification"],
}


def test_the_examples_are_there() -> None:
    assert {path.stem for path in EXAMPLES} == set(TASKS)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path, store: Path) -> None:
    done = subprocess.run(
        [sys.executable, example],
        env={**os.environ, "MODELKB_STORE": str(store)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    opened = Store(store)
    runs = [opened.experiment(i) for i in opened.experiments("examples")["experiment_id"]]
    assert [run.evaluations()["task"].iloc[0] for run in runs] == TASKS[example.stem]
    for run in runs:
        assert run.record.status == "finished"
        assert run.record.problems == ()
        assert run.record.epochs_completed > 0
        assert len(run.load_model().get_weights()) > 0
    if example.stem == "image_folder":
        assert list(runs[0].confusion_matrix().columns) == ["circle", "cross", "square"]
    if example.stem == "transfer_learning":
        layers = runs[1].layers()
        assert not layers.loc[layers["path"].str.startswith("base/"), "trainable"].any()
    if example.stem == "diabetes_regression":
        assert runs[0].evaluations()["r2"].iloc[0] > 0.2
