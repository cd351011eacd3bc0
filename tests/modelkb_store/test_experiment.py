from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from modelkb_store import (
    ArtifactNotFoundError,
    CorruptFileError,
    Experiment,
    InvalidSettingError,
    ModelKBError,
    Store,
)
from modelkb_store.commits.compaction import compact
from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.records import ArtifactRecord, EvaluationRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    ARCHITECTURE,
    CONSOLE,
    DATASET,
    ENVIRONMENT,
    EPOCHS,
    KERNEL,
    LAYER,
    MODEL,
    VALIDATION_DATASET,
    metric_record,
    write_weights,
)

WriterFactory = Callable[..., ExperimentWriter]


def saved_weights(experiment: Experiment) -> Path:
    """Save the weights of an experiment beside the store."""
    return experiment.save_weights("saved.weights.h5")


@pytest.fixture
def bare_experiment_factory(
    store: Path, writer_factory: WriterFactory
) -> Callable[..., Experiment]:
    """Begins experiments of which nothing else is recorded."""

    def make(**changes: object) -> Experiment:
        writer = writer_factory(**changes)
        return Store(store).experiment(writer.experiment.experiment_id)

    return make


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


def test_architecture(recorded_experiment: Experiment) -> None:
    assert recorded_experiment.architecture() == ARCHITECTURE


def test_the_architecture_file_is_in_the_store(
    recorded_experiment: Experiment, store: Path
) -> None:
    assert (store / recorded_experiment.architecture_path()).is_file()


def kernel_in(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file["layers/dense/vars/0"][:]


def test_weights(recorded_experiment: Experiment, tmp_path: Path) -> None:
    path = recorded_experiment.save_weights(tmp_path / "saved.weights.h5")

    assert path == tmp_path / "saved.weights.h5"
    with h5py.File(path) as file:
        assert np.array_equal(file["layers/dense/vars/0"][:], KERNEL)
        assert file["layers/dense/vars/0"].dtype == KERNEL.dtype
        assert file["layers/dense/vars/1"][:].tolist() == [0.0, 0.0]
        assert file["layers/dense/vars"].attrs["name"] == "dense"


def test_weights_by_name_and_by_epoch(recorded_experiment: Experiment, tmp_path: Path) -> None:
    for checkpoint in ("end", EPOCHS - 1):
        path = recorded_experiment.save_weights(tmp_path / "x.weights.h5", checkpoint)
        assert np.array_equal(kernel_in(path), KERNEL)
    for missing in ("best", 0, EPOCHS):
        with pytest.raises(ArtifactNotFoundError, match="no checkpoint .*, only end"):
            recorded_experiment.save_weights(tmp_path / "x.weights.h5", missing)
    with pytest.raises(InvalidSettingError, match=r"ends with \.weights\.h5"):
        recorded_experiment.save_weights(tmp_path / "x.h5")


def test_checkpoints(recorded_experiment: Experiment) -> None:
    checkpoints = recorded_experiment.checkpoints()

    assert checkpoints["kind"].tolist() == ["end"]
    assert checkpoints["size_bytes"].tolist() == [KERNEL.nbytes + 8]
    assert checkpoints["epoch"].isna().all()


def test_a_model_as_a_keras_archive(recorded_experiment: Experiment, tmp_path: Path) -> None:
    path = recorded_experiment.save_model(tmp_path / "digits.keras")

    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        with archive.open("model.weights.h5") as weights, h5py.File(weights) as file:
            assert np.array_equal(file["layers/dense/vars/0"][:], KERNEL)
    assert config["class_name"] == "Sequential"
    with pytest.raises(InvalidSettingError, match=r"ends with \.keras"):
        recorded_experiment.save_model(tmp_path / "digits.h5")


def test_what_was_not_recorded_is_empty(bare_experiment_factory: Callable[..., Experiment]) -> None:
    bare = bare_experiment_factory()

    assert bare.hyperparameters() == {}
    assert bare.environment() == {}
    assert bare.dataset() == {}
    assert bare.dataset("validation") == {}
    assert bare.model() == {}
    frames = [
        bare.metrics(),
        bare.batch_metrics(),
        bare.evaluations(),
        bare.layers(),
        bare.artifacts(),
    ]
    assert [len(frame) for frame in frames] == [0, 0, 0, 0, 0]
    assert "value" in bare.metrics()


@pytest.mark.parametrize(
    ("accessor", "reason"),
    [
        (Experiment.architecture, "no architecture: no model was recorded with it"),
        (Experiment.architecture_path, "no architecture: no model was recorded with it"),
        (saved_weights, "no weights: recorded with save_weights=False"),
        (Experiment.confusion_matrix, "no confusion matrix: the run was not evaluated"),
    ],
)
def test_a_missing_artifact_says_why(
    bare_experiment_factory: Callable[..., Experiment],
    accessor: Callable[[Experiment], object],
    reason: str,
) -> None:
    bare = bare_experiment_factory(status="finished")

    with pytest.raises(ArtifactNotFoundError, match=rf"^Experiment {bare.id} has {reason}"):
        accessor(bare)


@pytest.mark.parametrize(
    "accessor",
    [
        Experiment.architecture,
        Experiment.architecture_path,
        saved_weights,
        Experiment.confusion_matrix,
    ],
)
def test_a_missing_artifact_tells_the_recorded_problems(
    bare_experiment_factory: Callable[..., Experiment],
    accessor: Callable[[Experiment], object],
) -> None:
    problems = ("the disk was full", "stopped by ValueError")
    failed = bare_experiment_factory(status="failed", problems=problems)
    running = bare_experiment_factory(problems=problems)

    with pytest.raises(ArtifactNotFoundError, match="the disk was full; stopped by ValueError"):
        accessor(failed)
    with pytest.raises(ArtifactNotFoundError, match="the run is still running"):
        accessor(running)


def test_an_architecture_whose_file_is_gone(recorded_experiment: Experiment, store: Path) -> None:
    path = store / recorded_experiment.architecture_path()
    path.unlink()

    with pytest.raises(ArtifactNotFoundError, match=f"{re.escape(str(path))} is missing"):
        recorded_experiment.architecture()


def test_an_architecture_whose_file_is_damaged(
    recorded_experiment: Experiment, store: Path
) -> None:
    path = store / recorded_experiment.architecture_path()
    path.write_bytes(path.read_bytes()[:100])

    with pytest.raises(CorruptFileError, match=re.escape(str(path))):
        recorded_experiment.architecture()


def test_weights_whose_file_is_gone(recorded_experiment: Experiment, store: Path) -> None:
    (pack,) = (store / "objects" / "packs").rglob("*.h5")
    pack.unlink()

    with pytest.raises(ModelKBError, match=re.escape(pack.name)):
        saved_weights(recorded_experiment)


def test_weights_whose_file_is_damaged(recorded_experiment: Experiment, store: Path) -> None:
    (pack,) = (store / "objects" / "packs").rglob("*.h5")
    content = bytearray(pack.read_bytes())
    position = content.index(KERNEL.tobytes()[4:8])
    content[position] ^= 1
    pack.write_bytes(content)

    with pytest.raises(ModelKBError):
        saved_weights(recorded_experiment)


def test_the_last_of_several_weights_is_taken(
    store: Path, writer_factory: WriterFactory, tmp_path: Path
) -> None:
    def save(scale: float) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            write_weights(path)
            with h5py.File(path, "r+") as file:
                file["layers/dense/vars/0"][:] = KERNEL * scale

        return write

    writer = writer_factory()
    writer.add_checkpoint("epoch", save(1), epoch=0)
    writer.add_checkpoint("epoch", save(2), epoch=1)
    run = Store(store).experiment(writer.experiment.experiment_id)
    assert np.array_equal(kernel_in(saved_weights(run)), KERNEL * 2)

    writer.add_checkpoint("best", save(3), epoch=7, metric="val_loss", value=0.5)
    writer.add_checkpoint("best", save(4), epoch=8, metric="val_loss", value=0.25)
    assert np.array_equal(kernel_in(saved_weights(run)), KERNEL * 4)

    writer.add_checkpoint("end", save(5))
    writer.close()
    assert np.array_equal(kernel_in(saved_weights(run)), KERNEL * 5)
    path = tmp_path / "x.weights.h5"
    for checkpoint, scale in (("best", 4), (0, 1), (1, 2)):
        assert np.array_equal(kernel_in(run.save_weights(path, checkpoint)), KERNEL * scale)
    assert run.checkpoints()["kind"].tolist() == ["epoch", "epoch", "best", "end"]
    assert len(Store(store).sql("select * from variables")) == 6


def test_weights_must_lie_in_the_store(
    store: Path, tmp_path: Path, writer_factory: WriterFactory
) -> None:
    """Those of a store of version 1 are a file each, whose path a row tells."""
    (tmp_path / "secret").touch()
    writer = writer_factory()
    experiment_id = writer.experiment.experiment_id
    started = writer.experiment.started_at
    writer.add_artifacts([ArtifactRecord(experiment_id, "weights", "../secret", "00", 0, started)])

    with pytest.raises(PathOutsideStoreError, match="leads out of the store"):
        saved_weights(Store(store).experiment(experiment_id))


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
