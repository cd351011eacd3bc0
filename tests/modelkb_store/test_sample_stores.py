"""Stores of released formats are read for ever: here is what each must give."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from modelkb_store import FORMAT_VERSION, SCHEMAS, ArtifactNotFoundError, Experiment, Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.tables import Tables

DATA = Path(__file__).parents[1] / "data"
V1 = DATA / "store_v1"
STARTED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
# Their hash is that of a file with a time in it.
CONTENT_OF_ARTIFACTS = ["project", "experiment_id", "kind", "epoch", "created_at"]


@pytest.fixture(params=["as it is", "upgraded"])
def v1(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The sample: one that cannot be written, and a copy that opening has upgraded."""
    copy = tmp_path / "store_v1"
    shutil.copytree(V1, copy)
    if request.param == "upgraded":
        Store(copy)
        yield copy
        assert json.loads((copy / "format.json").read_text())["version"] == FORMAT_VERSION
        return
    # Also for root, whom no permission keeps out: something is in the way of what is derived.
    (copy / "metric_summaries").write_text("")
    before = (copy / "format.json").read_bytes()
    yield copy
    assert (copy / "format.json").read_bytes() == before


@pytest.fixture
def finished(v1: Path) -> Experiment:
    """The run of the sample that finished."""
    return Store(v1).experiment("20260102-030405678-00000000ab")


@pytest.fixture
def failed(v1: Path) -> Experiment:
    """The run of the sample that failed."""
    return Store(v1).experiment("20260203-040506789-00000000cd")


def test_v1_projects(v1: Path) -> None:
    projects = Store(v1).projects()

    assert projects["project"].tolist() == ["Wind & Gezeiten", "iris"]
    assert projects["owner"].tolist() == ["ada", "ada"]
    assert projects["experiment_count"].tolist() == [1, 1]
    assert projects["created_at"].tolist() == [STARTED + timedelta(days=32), STARTED]
    assert projects["application"].isna().all()
    assert projects["description"].isna().all()


def test_v1_experiments(v1: Path) -> None:
    runs = Store(v1).experiments()

    assert runs["project"].tolist() == ["iris", "Wind & Gezeiten"]
    assert runs["name"].tolist() == ["first try", "zweiter Versuch"]
    assert runs["status"].tolist() == ["finished", "failed"]
    first = runs.iloc[0]
    assert first["params.optimizer"] == "SGD"
    assert first["params.learning_rate"] == 0.01
    assert first["params.epochs"] == 3
    assert first["params.shuffle"]
    assert first["params.units"] == "[2]"
    assert first["metrics.loss"] == 1 / 3
    assert first["metrics.accuracy"] == 0.75
    assert first["metrics.val_loss"] == 2 / 3
    assert math.isnan(first["metrics.val_auc"])


def test_v1_rows_of_experiments(finished: Experiment, failed: Experiment) -> None:
    record = finished.record
    assert (record.owner, record.host, record.process_id) == ("ada", "lab", 4242)
    assert (record.started_at, record.ended_at) == (STARTED, STARTED + 75 * SECOND)
    assert (record.duration_seconds, record.seed) == (75.0, 7)
    assert (record.epochs_planned, record.epochs_completed) == (3, 3)
    assert (record.tags, record.notes) == (("demo", "small"), "two kinds of flowers")
    assert (record.problems, record.modelkb_version) == ((), "0.1.0")
    assert (record.dataset_id, record.validation_dataset_id) == (None, None)
    assert (record.implementation_id, record.parent_experiment_id) == (None, None)

    assert failed.project == "Wind & Gezeiten"
    assert failed.record.problems == ("stopped by ValueError: the tide is out",)
    assert failed.record.parent_experiment_id == finished.id
    assert (failed.record.duration_seconds, failed.record.epochs_completed) == (1.5, 0)
    assert (failed.record.seed, failed.record.epochs_planned) == (None, None)


def test_v1_curves(finished: Experiment) -> None:
    metrics = finished.metrics()

    assert metrics["epoch"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert metrics["step"].tolist() == [4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]
    assert metrics["split"].tolist() == ["train", "train", "validation", "validation"] * 3
    assert metrics["metric"].tolist() == ["loss", "accuracy", "loss", "auc"] * 3
    values = metrics.pivot_table(index="epoch", columns=["split", "metric"], values="value")
    assert values["train", "loss"].tolist() == [1.0, 1 / 2, 1 / 3]
    assert values["train", "accuracy"].tolist() == [0.25, 0.5, 0.75]
    assert values["validation", "loss"].tolist() == [2.0, 1.0, 2 / 3]
    assert metrics[metrics["metric"] == "auc"]["value"].isna().all()
    assert metrics["wall_time"].iloc[-1] == STARTED + 60 * SECOND


def test_v1_settings(finished: Experiment) -> None:
    assert finished.hyperparameters() == {
        "optimizer": "SGD",
        "learning_rate": 0.01,
        "epochs": 3,
        "shuffle": True,
        "units": [2],
    }
    rows = finished.table("hyperparameters").to_pylist()
    assert [row["source"] for row in rows] == ["compile", "compile", "fit", "fit", "user"]
    assert [row["number"] for row in rows] == [None, 0.01, 3.0, 1.0, None]


def test_v1_environment(finished: Experiment) -> None:
    assert finished.environment() == {
        "environment_id": "a3c2fbd0ae61f518c1488f83930af1a0",
        "created_at": STARTED,
        "python_version": "3.11.9",
        "operating_system": "Linux 6.1",
        "machine": "x86_64",
        "cpu": "A processor",
        "cpu_count": 2,
        "memory_bytes": 8_589_934_592,
        "gpus": ["A GPU"],
        "gpu_driver": None,
        "cuda_version": "12.5.1",
        "cudnn_version": "9",
        "keras_version": "3.15.1",
        "backend": "tensorflow",
        "backend_version": "2.21.0",
        "dtype_policy": "float32",
        "float_type": "float32",
        "image_data_format": "channels_last",
        "deterministic_ops": True,
        "inter_op_threads": 0,
        "intra_op_threads": 0,
        "distributions": {"keras": "3.15.1", "numpy": "2.4.6"},
        "variables": {"TF_DETERMINISTIC_OPS": "1"},
        "seed": 7,
    }


def test_v1_model(finished: Experiment) -> None:
    model = finished.model()

    assert model.pop("compile_config").startswith('{"loss":"sparse_categorical_crossentropy"')
    assert model == {
        "model_id": "4ab0c1a37712e11abbc05998d98f2dce",
        "architecture_id": "f6abe19cb3213b3c54e2bdb1ae5507f9",
        "created_at": STARTED,
        "name": "iris",
        "class_name": "Sequential",
        "kind": "sequential",
        "layer_count": 2,
        "parameter_count": 10,
        "trainable_parameter_count": 10,
        "dataset_id": None,
        "implementation_id": None,
        "architecture_path": "objects/architectures/f6/f6abe19cb3213b3c54e2bdb1ae5507f9.h5",
    }
    assert model["architecture_path"] == finished.architecture_path()


def test_v1_architecture(finished: Experiment) -> None:
    architecture = finished.architecture()

    assert architecture.architecture_id == finished.record.architecture_id
    assert (architecture.keras_version, architecture.backend) == ("3.15.1", "tensorflow")
    assert architecture.model_config is not None
    layers = architecture.model_config["config"]["layers"]
    assert [layer["class_name"] for layer in layers] == ["InputLayer", "Dense"]
    assert architecture.training_config == {
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    table = finished.layers()
    assert table["path"].tolist() == ["flowers", "kind"]
    assert table["class_name"].tolist() == ["InputLayer", "Dense"]
    assert [list(names) for names in table["inbound"]] == [[], ["flowers"]]
    assert table["output_shape"].tolist() == ["[null,4]", "[null,2]"]
    assert table["parameter_count"].tolist() == [0, 10]
    assert table["trainable"].tolist() == [True, True]


def test_v1_evaluations(finished: Experiment) -> None:
    classes, heights = finished.table("evaluations").to_pylist()

    assert (classes["task"], classes["accuracy"], classes["sampled"]) == (
        "classification",
        0.9,
        False,
    )
    assert classes["precision"] == [1.0, 25 / 30]
    assert classes["support"] == [25, 25]
    assert (classes["r2"], classes["residual_edges"]) == (None, None)
    matrix = finished.confusion_matrix()
    assert matrix.to_numpy().tolist() == [[20, 5], [0, 25]]
    assert matrix.index.tolist() == ["setosa", "virginica"]
    assert (heights["r2"], heights["mae"], heights["rmse"]) == (0.5, 1.25, 1.5)
    assert heights["residual_edges"] == [-1.0, 0.0, 1.0]
    assert heights["residual_counts"] == [24, 26]
    assert (heights["accuracy"], heights["confusion_matrix"]) == (None, None)


def test_v1_weights(finished: Experiment, tmp_path: Path) -> None:
    (artifact,) = finished.table("artifacts").to_pylist()
    path = finished.save_weights(tmp_path / "x.weights.h5")

    assert artifact["created_at"] == STARTED + 75 * SECOND
    assert artifact["size_bytes"] == path.stat().st_size
    assert artifact["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert finished.save_weights(tmp_path / "y.weights.h5", "end").read_bytes() == path.read_bytes()
    with h5py.File(path, "r") as file:
        kernel = file["layers/dense/vars/0"][:]
        bias = file["layers/dense/vars/1"][:]
    assert np.array_equal(kernel, np.arange(8).reshape(4, 2) / 8)
    assert bias.tolist() == [0.5, -0.5]


def test_v1_what_the_failed_run_lacks(failed: Experiment) -> None:
    assert len(failed.metrics()) == 0
    assert failed.hyperparameters() == failed.environment() == failed.model() == {}
    with pytest.raises(ArtifactNotFoundError, match="the tide is out"):
        failed.save_weights("x.weights.h5")
    with pytest.raises(ArtifactNotFoundError, match="the tide is out"):
        failed.architecture_path()


def test_v1_is_read_by_plain_pandas(v1: Path) -> None:
    Store(v1)
    metrics = pd.read_parquet(v1 / "metrics")
    runs = pd.read_parquet(v1 / "experiments").sort_values("experiment_id")

    assert set(metrics["project"]) == {"iris"}
    assert len(metrics) == 12
    assert runs["project"].tolist() == ["iris", "Wind & Gezeiten"]


@pytest.mark.skipif(FORMAT_VERSION != 1, reason="the script writes the format of its version")
def test_v1_is_what_its_script_makes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_store_v1", DATA / "make_store_v1.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    script.make_store(tmp_path / "made")

    made, kept = (Tables(LocalFiles(root)) for root in (tmp_path / "made", V1))
    for table in SCHEMAS:
        columns = CONTENT_OF_ARTIFACTS if table == "artifacts" else None
        first = made.read(table, columns=columns).to_pandas()
        pd.testing.assert_frame_equal(first, kept.read(table, columns=columns).to_pandas())
