"""Every example is recorded, written again and run again: the same to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commands import errors_of, modelkb_run, python
from modelkb_store import Experiment, Store

FOLDER = Path(__file__).parents[4] / "examples"
# The job for Spark trains nothing.
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.stem != "spark_store")


def curves(experiment: Experiment) -> list[tuple[Any, ...]]:
    rows = experiment.table("metrics").to_pylist()
    return sorted((r["split"], r["metric"], r["epoch"], r["step"], r["value"]) for r in rows)


def final_weights(experiment: Experiment) -> list[str]:
    rows = experiment.table("checkpoints").to_pylist()
    return next(row["variable_ids"] for row in rows if row["kind"] == "end")


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_the_same_again(
    example: Path, store: Path, tmp_path: Path, ruff: Any
) -> None:
    done = python(example, environment={"MODELKB_STORE": str(store)})
    assert done.returncode == 0, done.stderr
    recorded = Store(store)
    for number, experiment_id in enumerate(recorded.experiments()["experiment_id"]):
        original = recorded.experiment(experiment_id)
        script, *_ = original.save_script(tmp_path / f"again_{number}.py")
        assert ruff(script.read_text()) == ""
        again = tmp_path / f"store_{number}"
        done = modelkb_run("--project", "again", script, environment={"MODELKB_STORE": str(again)})
        assert done.returncode == 0, done.stderr
        assert not any("Warning" in line for line in errors_of(done))
        ids = Store(again).experiments()["experiment_id"]
        (reproduction,) = [Store(again).experiment(each) for each in ids]
        assert curves(reproduction) == curves(original)
        assert final_weights(reproduction) == final_weights(original)
        assert reproduction.record.problems == ()
