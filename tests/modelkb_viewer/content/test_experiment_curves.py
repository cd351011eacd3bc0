from __future__ import annotations

import math

import pandas as pd
import pytest

from modelkb_store import Experiment
from modelkb_viewer.content.experiment_curves import (
    metric_curves,
    metric_values,
    metrics_with_words,
)
from modelkb_viewer.figures.curves import XAxis


def curves(experiment: Experiment, x: XAxis) -> dict[str, pd.DataFrame]:
    started = experiment.record.started_at
    return metric_curves(experiment.metrics(), experiment.batch_metrics(), x, started, "run")


def test_training_and_validation_are_together_accuracy_first(
    recorded_experiment: Experiment,
) -> None:
    found = curves(recorded_experiment, "epoch")
    assert list(found) == ["accuracy", "loss"]
    loss = found["loss"]
    assert loss["series"].tolist() == ["train"] * 3 + ["validation"] * 3
    assert loss["x"].tolist() == [0, 1, 2, 0, 1, 2]
    assert loss["value"].tolist() == pytest.approx([1, 1 / 2, 1 / 3, 2, 1, 2 / 3])


def test_batches_have_curves_of_their_own_but_not_over_epochs(
    recorded_experiment: Experiment,
) -> None:
    found = curves(recorded_experiment, "step")
    assert list(found) == ["accuracy", "loss", "loss, by batch"]
    assert found["loss, by batch"]["x"].tolist() == [1]
    assert found["loss"]["x"].tolist()[:3] == [10, 20, 30]


def test_time_is_seconds_since_the_start(recorded_experiment: Experiment) -> None:
    seconds = curves(recorded_experiment, "time")["accuracy"]["x"]
    assert seconds.diff().dropna().tolist() == [1.0, 1.0]


def test_best_values_go_by_the_metric(recorded_experiment: Experiment) -> None:
    table = metric_values(recorded_experiment.metrics()).set_index(["Metric", "Split"])
    assert table.loc[("accuracy", "train"), "Best"] == 0.75
    assert table.loc[("loss", "validation"), "Best"] == pytest.approx(2 / 3)
    assert table.loc[("loss", "validation"), "Best epoch"] == 2
    assert table.loc[("loss", "train"), "First"] == 1


def test_of_equal_values_the_first_is_the_best() -> None:
    columns = {"split": "train", "epoch": [0, 1, 2], "value": [0.5, 1.0, 1.0]}
    (accuracy,) = metric_values(pd.DataFrame({"metric": "accuracy", **columns})).to_dict("records")
    assert (accuracy["Best"], accuracy["Best epoch"]) == (1.0, 1)


def test_nan_is_never_the_best() -> None:
    frame = pd.DataFrame(
        {"metric": "loss", "split": "train", "epoch": [0, 1], "value": [0.5, math.nan]}
    )
    (row,) = metric_values(frame).to_dict("records")
    assert (row["Best"], row["Best epoch"]) == (0.5, 0)
    assert math.isnan(row["Last"])


def test_a_run_without_metrics_has_no_curves(recorded_experiment: Experiment) -> None:
    none = recorded_experiment.metrics().iloc[:0]
    assert metric_curves(none, none, "step", recorded_experiment.record.started_at, "run") == {}
    assert metric_values(none).empty


def test_metrics_are_found_by_words() -> None:
    names = ["loss", "head_a_loss", "top_loss"]
    assert metrics_with_words(names, "Head_A loss") == ["head_a_loss"]
    assert metrics_with_words(names, "") == names
