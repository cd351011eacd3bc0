from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from modelkb_store import (
    ArtifactNotFoundError,
    CorruptFileError,
    Experiment,
    InvalidSettingError,
    ModelKBError,
    Store,
)
from modelkb_store.errors import PathOutsideStoreError
from modelkb_store.records import ArtifactRecord
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    ARCHITECTURE,
    EPOCHS,
    KERNEL,
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
