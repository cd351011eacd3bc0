from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from modelkb_store import (
    ArtifactNotFoundError,
    CorruptFileError,
    Experiment,
    InvalidSettingError,
    Store,
)
from modelkb_store.commits.compaction import compact
from modelkb_store.records import EvaluationRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    CONSOLE,
    DATASET,
    ENVIRONMENT,
    EPOCHS,
    KERNEL,
    LAYER,
    MODEL,
    VALIDATION_DATASET,
    metric_record,
)

WriterFactory = Callable[..., ExperimentWriter]


def test_its_row_is_a_record(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.project == "digits"
    assert recorded_experiment.id == recorded_experiment.record.experiment_id
    assert recorded_experiment.record.status == "finished"
    assert recorded_experiment.record.seed == 7
    assert recorded_experiment.record.tags == ()
    assert recorded_experiment.record.ended_at is not None


def test_its_repr_is_short(recorded_experiment: Experiment) -> None:
    assert repr(recorded_experiment) == (
        "<Experiment 20260102-030405678-0000000001 (digits/run-1, finished)>"
    )


def test_metrics(recorded_experiment: Experiment) -> None:
    metrics = recorded_experiment.metrics()

    assert list(metrics.columns) == ["epoch", "step", "split", "metric", "value", "wall_time"]
    assert len(metrics) == 3 * EPOCHS
    validation = metrics.query("split == 'validation'")
    assert validation["value"].tolist() == [2.0, 1.0, 2 / 3]
    assert validation["epoch"].tolist() == [0, 1, 2]
    assert validation["step"].tolist() == [10, 20, 30]
    assert metrics["value"].dtype == "float64"
    assert str(metrics["wall_time"].dt.tz) == "UTC"
    assert recorded_experiment.table("metrics").num_rows == len(metrics)


def test_metrics_of_many_parts_are_in_order(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    for first in (0, 9000, 18_000):
        epochs = range(first, first + 9000)
        writer.append_metrics([metric_record(experiment_id, epoch, 0.5) for epoch in epochs])

    epochs = Store(store).experiment(experiment_id).metrics()["epoch"]

    assert epochs.tolist() == list(range(27_000))


def test_batch_metrics(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.batch_metrics()["value"].tolist() == [0.75]


def test_hyperparameters(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.hyperparameters() == {
        "learning_rate": 0.001,
        "epochs": 3,
        "optimizer": "adam",
    }
    sources = recorded_experiment.table("hyperparameters")["source"].to_pylist()
    assert sources == ["compile", "fit", "compile"]


def test_evaluations(recorded_experiment: Experiment) -> None:
    evaluations = recorded_experiment.evaluations()

    assert evaluations["output"].tolist() == ["kind", "age"]
    assert evaluations["accuracy"].tolist()[0] == 0.84
    assert evaluations["rmse"].tolist()[1] == 1.5
    assert "experiment_id" not in evaluations
    assert recorded_experiment.table("evaluations").num_rows == 2


def test_confusion_matrix(recorded_experiment: Experiment) -> None:
    matrix = recorded_experiment.confusion_matrix()

    assert matrix.loc["cat", "dog"] == 5
    assert matrix.loc["dog", "cat"] == 3
    assert matrix.to_numpy().tolist() == [[20, 5], [3, 22]]
    assert (matrix.index.name, matrix.columns.name) == ("true", "predicted")
    assert set(matrix.dtypes) == {pd.Series([1], dtype="int64").dtype}
    pd.testing.assert_frame_equal(
        recorded_experiment.confusion_matrix("validation", "kind"), matrix
    )


@pytest.mark.parametrize(("split", "output"), [("train", None), (None, "age"), ("test", "kind")])
def test_a_confusion_matrix_that_was_not_made(
    recorded_experiment: Experiment, split: str | None, output: str | None
) -> None:
    with pytest.raises(ArtifactNotFoundError, match=r"no confusion matrix: .*classifier"):
        recorded_experiment.confusion_matrix(split, output)


def test_a_confusion_matrix_without_class_names(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    evaluation = EvaluationRecord(
        experiment_id=writer.experiment.experiment_id,
        split="train",
        output="output",
        task="classification",
        source="second_pass",
        sample_count=6,
        sampled=True,
        created_at=writer.experiment.started_at,
        confusion_matrix=((1, 2), (0, 3)),
    )
    writer.add_evaluations([evaluation])

    matrix = Store(store).experiment(evaluation.experiment_id).confusion_matrix("train")

    assert matrix.index.tolist() == matrix.columns.tolist() == [0, 1]
    assert matrix.loc[0, 1] == 2


def test_environment(recorded_experiment: Experiment) -> None:
    environment = recorded_experiment.environment()

    assert environment["distributions"] == {"keras": "3.15.1", "numpy": "2.4.6"}
    assert environment["variables"] == {"TF_DETERMINISTIC_OPS": "1"}
    assert environment["seed"] == 7
    assert environment["gpus"] == ["a GPU", "another GPU"]
    columns = {field.name for field in dataclasses.fields(ENVIRONMENT)}
    assert set(environment) == columns | {"seed"}
    assert environment["memory_bytes"] == ENVIRONMENT.memory_bytes


def test_dataset(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.dataset() == {
        **dataclasses.asdict(DATASET),
        "class_names": ["cat", "dog"],
    }
    validation = recorded_experiment.dataset("validation")
    assert validation == dataclasses.asdict(VALIDATION_DATASET)


def test_model(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.model() == dataclasses.asdict(MODEL)


def test_layers(recorded_experiment: Experiment) -> None:
    layers = recorded_experiment.layers()

    assert layers["name"].tolist() == ["dense"]
    assert layers["parameter_count"].tolist() == [LAYER.parameter_count]
    assert list(layers["inbound"][0]) == ["input"]


def test_artifacts(recorded_experiment: Experiment) -> None:
    artifacts = recorded_experiment.artifacts()

    assert artifacts["kind"].tolist() == ["console"]
    assert artifacts["name"].tolist() == ["console.txt"]
    assert artifacts["size_bytes"].tolist() == [len(CONSOLE)]
    assert recorded_experiment.table("artifacts")["path"].to_pylist() == artifacts["path"].tolist()


def test_checkpoints(recorded_experiment: Experiment) -> None:
    checkpoints = recorded_experiment.checkpoints()

    assert checkpoints["kind"].tolist() == ["end"]
    assert checkpoints["size_bytes"].tolist() == [KERNEL.nbytes + 8]
    assert checkpoints["epoch"].isna().all()


def test_damaged_metrics_are_named(recorded_experiment: Experiment, store: Path) -> None:
    (path,) = (store / "metrics").rglob("*.parquet")
    path.write_bytes(b"PAR1")

    with pytest.raises(CorruptFileError, match=re.escape(str(path))):
        recorded_experiment.metrics()
    assert recorded_experiment.hyperparameters()["epochs"] == 3


def test_an_open_experiment_shows_what_is_added(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    opened = Store(store).experiment(writer.experiment.experiment_id)

    writer.append_metrics([metric_record(opened.id, 0, 0.5)])

    assert opened.metrics()["value"].tolist() == [0.5]


def test_a_table_is_asked_for_by_its_name(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.table("artifacts")["kind"].to_pylist() == ["console"]
    assert "experiment_id" not in recorded_experiment.table("metrics").column_names
    for name in ("metric", "models"):
        with pytest.raises(InvalidSettingError, match=r"one of .*metrics.*artifacts"):
            recorded_experiment.table(name)
    with pytest.raises(InvalidSettingError, match="'train' or 'validation'"):
        recorded_experiment.dataset("test")


def test_the_code_behind_a_run(recorded_experiment: Experiment) -> None:
    implementation = recorded_experiment.implementation()

    assert implementation["script"] == "train.py"
    assert implementation["definitions"] == "import keras\n"


def test_epochs_and_resources(recorded_experiment: Experiment) -> None:
    epochs = recorded_experiment.epochs()

    assert list(epochs["epoch"]) == list(range(EPOCHS))
    assert list(epochs["final_learning_rate"]) == [0.005] * EPOCHS
    assert list(recorded_experiment.resources()["cpu_percent"]) == [99.5]
    assert len(recorded_experiment.predictions()) == 0


def test_a_run_that_went_on_is_in_order_after_its_files_were_merged(
    store: Path, writer_factory: WriterFactory
) -> None:
    """The file with the first epochs may be merged, and so become the newer one."""
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, epoch, float(epoch)) for epoch in range(3)])
    writer.close()
    compact(writer.files)
    resumed = ExperimentWriter(store, "digits", writer.experiment, resumes=True)
    resumed.append_metrics([metric_record(run, epoch, float(epoch)) for epoch in range(3, 6)])
    resumed.close()
    later = next(p for p in (store / "metrics").rglob(f"{run}-*.parquet"))
    later.rename(later.with_name("a.parquet"))

    assert Store(store).experiment(run).metrics()["epoch"].tolist() == list(range(6))


def test_kept_files_are_read_by_their_hash(recorded_experiment: Experiment) -> None:
    (kept,) = recorded_experiment.artifacts().to_dict("records")
    assert recorded_experiment.read_artifact(kept["sha256"]) == CONSOLE
    with pytest.raises(ArtifactNotFoundError, match="see artifacts"):
        recorded_experiment.read_artifact("format.json")


def test_a_kept_file_that_is_gone_is_said_so(store: Path, recorded_experiment: Experiment) -> None:
    (kept,) = recorded_experiment.artifacts().to_dict("records")
    (store / kept["path"]).unlink()
    with pytest.raises(ArtifactNotFoundError, match="is missing"):
        recorded_experiment.read_artifact(kept["sha256"])
