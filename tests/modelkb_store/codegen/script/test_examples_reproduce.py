"""Every example runs and is recorded whole; written again and run again it is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands import errors_of, modelkb_run, python
from modelkb_store import Experiment, Store

FOLDER = Path(__file__).parents[4] / "examples"
# The job for Spark trains nothing.
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


def curves(experiment: Experiment) -> list[tuple[Any, ...]]:
    rows = experiment.table("metrics").to_pylist()
    return sorted((r["split"], r["metric"], r["epoch"], r["step"], r["value"]) for r in rows)


def final_weights(experiment: Experiment) -> list[str]:
    rows = experiment.table("checkpoints").to_pylist()
    return next(row["variable_ids"] for row in rows if row["kind"] == "end")


def assert_recorded_whole(name: str, runs: list[Experiment]) -> None:
    assert [run.evaluations()["task"].iloc[0] for run in runs] == TASKS[name]
    for run in runs:
        assert run.record.status == "finished"
        assert run.record.problems == ()
        assert run.record.epochs_completed > 0
        assert len(run.load_model().get_weights()) > 0
    if name == "image_folder":
        assert list(runs[0].confusion_matrix().columns) == ["circle", "cross", "square"]
    if name == "transfer_learning":
        layers = runs[1].layers()
        assert not layers.loc[layers["path"].str.startswith("base/"), "trainable"].any()
    if name == "diabetes_regression":
        assert runs[0].evaluations()["r2"].iloc[0] > 0.2


# Both in one test, so that each example is trained once.
@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_recorded_and_the_same_again(
    example: Path, store: Path, tmp_path: Path, ruff: Any
) -> None:
    done = python(example, environment={"MODELKB_STORE": str(store)})
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    opened = Store(store)
    originals = [opened.experiment(i) for i in opened.experiments("examples")["experiment_id"]]
    assert len(opened.experiments()) == len(originals)
    assert_recorded_whole(example.stem, originals)
    for number, original in enumerate(originals):
        script, *_ = original.save_script(tmp_path / f"again_{number}.py")
        assert ruff(script.read_text()) == ""
    # Where there are several, the last one began with what the others had trained.
    again = tmp_path / "store_again"
    done = modelkb_run("--project", "again", script, environment={"MODELKB_STORE": str(again)})
    assert done.returncode == 0, done.stderr
    assert not any("Warning" in line for line in errors_of(done))
    ids = Store(again).experiments()["experiment_id"]
    (reproduction,) = [Store(again).experiment(each) for each in ids]
    assert curves(reproduction) == curves(original)
    assert final_weights(reproduction) == final_weights(original)
    assert reproduction.record.problems == ()
