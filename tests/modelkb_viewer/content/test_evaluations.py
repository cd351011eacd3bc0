from __future__ import annotations

from pathlib import Path

import pytest

from modelkb_store import Experiment, Store
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.content.evaluations import evaluations_of
from small_experiment import STARTED, experiment_record


def test_each_output_is_an_evaluation(recorded_experiment: Experiment) -> None:
    found = {each.label: each for each in evaluations_of(recorded_experiment)}
    assert set(found) == {"validation, output kind", "validation, output age"}
    kind, age = found["validation, output kind"], found["validation, output age"]
    assert kind.matrix is not None
    assert kind.matrix.loc["cat", "dog"] == 5
    assert kind.classes is not None
    assert kind.classes.to_dict("list")["Recall"] == [0.8, 0.88]
    assert kind.about == "50 samples, epoch 2, from Keras' own validation pass."
    assert age.matrix is None
    assert age.figures == {"R²": 0.5, "MAE": 1.25, "RMSE": 1.5}
    assert age.residuals is not None
    assert age.residuals["count"].tolist() == [24, 26]
    assert age.about.startswith("A sample of 50 samples")


def test_labels_are_unique_and_names_that_do_not_fit_are_left_out(store: Path) -> None:
    writer = ExperimentWriter(store, "digits", experiment_record(1))
    run = writer.experiment.experiment_id
    record = EvaluationRecord(
        experiment_id=run,
        split="test",
        output="output",
        task="classification",
        source="evaluate",
        sample_count=3,
        sampled=False,
        created_at=STARTED,
        class_names=("only one",),
        confusion_matrix=((1, 0), (1, 1)),
    )
    writer.add_evaluations([record, record])
    writer.close()
    found = evaluations_of(Store(store).experiment(run))
    assert [each.label for each in found] == ["test", "test (2)"]
    assert found[0].matrix is not None
    assert found[0].matrix.index.tolist() == ["0", "1"]
    assert found[0].classes is None


@pytest.mark.parametrize("field", ["matrix", "classes", "residuals"])
def test_what_was_not_evaluated_is_none(recorded_experiment: Experiment, field: str) -> None:
    assert any(getattr(each, field) is None for each in evaluations_of(recorded_experiment))
