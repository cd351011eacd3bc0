"""The sample store of format 2: what it must give for ever."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest

from modelkb_store import FORMAT_VERSION, SCHEMAS, Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.tables import Tables
from modelkb_store.trained_weights import find_trained
from modelkb_store.upkeep.checking import check
from modelkb_store.upkeep.deletion import undelete

DATA = Path(__file__).parents[1] / "data"
PROJECT = "Wind & Gezeiten"
STARTED = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=timezone.utc)
DELETED = "20260304-050607002-0000000002"
DIED = STARTED + timedelta(days=2)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sample: opening a store finishes what is left in it."""
    return Path(shutil.copytree(DATA / "store_v2", tmp_path / "store_v2"))


@pytest.fixture
def running(copy: Path) -> Store:
    """The sample while the processes of both logs live, as far as one can tell from elsewhere."""
    _set_last_signs(copy, time.time())
    return Store(copy)


@pytest.fixture
def over(copy: Path) -> Store:
    """The sample when the processes of both logs have been silent for long."""
    _set_last_signs(copy, DIED.timestamp())
    return Store(copy)


def _set_last_signs(root: Path, moment: float) -> None:
    for path in root.glob("log/*/*.jsonl"):
        os.utime(path, (moment, moment))


def test_what_runs_is_read_from_its_logs(running: Store) -> None:
    runs = running.experiments()

    assert runs["name"].tolist() == ["kept", "loose", "resumed", "killed"]
    assert runs["status"].tolist() == ["finished", "failed", "running", "running"]
    assert set(runs["project"]) == {PROJECT}
    assert runs["params.epochs"].tolist() == [3, 1, 3, 2]
    assert runs["metrics.loss"].tolist() == [1 / 3, 1.0, 0.25, 1 / 3]
    assert runs["metrics.val_loss"].tolist() == [2 / 3, 2.0, 0.5, 2 / 3]
    assert len(list(Path(running.uri).glob("log/*/*.jsonl"))) == 3


def test_what_died_is_folded_when_the_store_is_opened(over: Store) -> None:
    runs = over.experiments()

    assert runs["status"].tolist() == ["finished", "failed", "interrupted", "interrupted"]
    assert runs["epochs_completed"].tolist() == [3, 1, 3, 3]  # a line of epoch 2 was damaged
    assert runs["ended_at"].tolist()[2:] == [DIED, DIED]
    assert runs["metrics.loss"].tolist() == [1 / 3, 1.0, 0.25, 1 / 3]
    assert not list(Path(over.uri).glob("log/*/*.jsonl"))


@pytest.mark.parametrize("state", ["running", "over"])
def test_curves(state: str, request: pytest.FixtureRequest) -> None:
    store: Store = request.getfixturevalue(state)
    losses = {
        name: store.experiment(name).metrics().query("split == 'train'")["value"].tolist()
        for name in ("kept", "loose", "resumed", "killed")
    }

    assert losses == {
        "kept": [1.0, 1 / 2, 1 / 3],
        "loose": [1.0],
        "resumed": [1.0, 1 / 2, 0.25],  # the third epoch ran again
        "killed": [1.0, 1 / 2, 1 / 3],  # the line of the fourth is torn
    }
    assert store.experiment("killed").epochs()["epoch"].tolist() == [0, 1, 3]
    kept = store.experiment("kept").metrics().query("split == 'validation'")
    assert kept["value"].fillna(-1).tolist() == [2.0, -1.0, 2 / 3]
    assert kept["wall_time"].iloc[-1] == STARTED + timedelta(seconds=30)


def test_each_table_has_what_its_script_gave_it(over: Store) -> None:
    run = over.experiment("kept")

    assert run.record.tags == ("tide",)
    assert run.record.started_at == STARTED
    assert run.record.duration_seconds == 60.0
    assert run.hyperparameters() == {"epochs": 3}
    assert run.batch_metrics()["value"].tolist() == [1.5]
    assert run.epochs()["final_learning_rate"].tolist() == [0.01, 0.01, 0.01]
    assert run.confusion_matrix().to_numpy().tolist() == [[20, 5], [0, 25]]
    assert run.confusion_matrix().index.tolist() == ["ebb", "flood"]
    assert run.model()["parameter_count"] is None
    assert run.model()["layer_count"] == 1
    assert run.layers()["path"].tolist() == ["dense"]
    assert run.dataset()["class_counts"] == [25, 25]
    assert run.implementation()["script"] == "tide.py"
    assert run.environment()["distributions"] == {"keras": "3.15.1"}
    assert run.environment()["deterministic_ops"] is True
    assert run.table("random_states").to_pylist() == [
        {"generator": "python", "state": "[3, [1, 2], null]"}
    ]
    (used,) = run.table("resources").to_pylist()
    assert (used["cpu_percent"], used["gpu_percent"]) == (99.5, [None, 50.0])
    assert run.predictions()["prediction_id"].tolist() == ["9" * 32]
    (artifact,) = run.table("artifacts").to_pylist()
    assert (Path(over.uri) / artifact["path"]).read_bytes() == b"Epoch 1/3\n"
    assert over.projects()["owner"].tolist() == ["ada"]
    assert over.projects()["experiment_count"].tolist() == [4]
    (best,) = [row for row in run.table("metric_summaries").to_pylist() if row["split"] == "train"]
    assert best == {
        "split": "train",
        "metric": "loss",
        "count": 3,
        "first": 1.0,
        "last": 1 / 3,
        "last_epoch": 2,
        "min": 1 / 3,
        "min_epoch": 2,
        "max": 1.0,
        "max_epoch": 0,
    }


def test_architecture(over: Store) -> None:
    architecture = over.experiment("kept").architecture()

    assert (architecture.keras_version, architecture.backend) == ("3.15.1", "jax")
    assert architecture.model_config is not None
    assert architecture.model_config["config"]["name"] == "tide"


def test_checkpoints(over: Store, tmp_path: Path) -> None:
    run = over.experiment("kept")

    assert run.checkpoints()["kind"].tolist() == ["best", "end"]
    assert run.checkpoints()["epoch"].tolist()[0] == 2
    for checkpoint in ("best", "end", 2):
        path = run.save_weights(tmp_path / "model.weights.h5", checkpoint)
        with h5py.File(path, "r") as file:
            kernel, bias = (file[f"layers/dense/vars/{number}"][:] for number in range(2))
        assert np.array_equal(kernel, np.arange(2048, dtype="float32").reshape(4, 512) / 8)
        assert bias.tolist() == [0.5, -0.5]


def test_a_pack_is_read_by_hdf5_alone(copy: Path) -> None:
    (pack,) = copy.glob("objects/packs/*/*.h5")
    with h5py.File(pack, "r") as file:
        shapes = sorted(file[name].shape for name in file)
        chunked = [file[name] for name in file if file[name].chunks]
        assert [(d.compression, d.shuffle) for d in chunked] == [("gzip", True)]
    assert shapes == [(2,), (4, 512)]


def test_lineage(over: Store) -> None:
    assert find_trained(over.files, "77" * 16) == (PROJECT, over.experiment("kept").id)


def test_the_deleted_run_is_there_until_it_is_collected(over: Store) -> None:
    undelete(over.files, DELETED)

    run = over.experiment(DELETED)
    assert run.record.name == "deleted"
    assert len(run.metrics()) == 4


@pytest.mark.parametrize("state", ["running", "over"])
def test_sql_sees_the_same(state: str, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("duckdb")
    store: Store = request.getfixturevalue(state)
    found = store.sql(
        "select name, count(*) as points from metrics join experiments using (experiment_id)"
        " group by name order by name"
    )

    assert found["name"].tolist() == ["kept", "killed", "loose", "resumed"]
    assert found["points"].tolist() == [6, 6, 2, 6]


def test_it_is_whole(over: Store) -> None:
    assert check(over.files) == []


@pytest.mark.parametrize("table", SCHEMAS)
def test_plain_readers_see_each_row_once(over: Store, table: str) -> None:
    undelete(over.files, DELETED)
    plain = ds.dataset(
        Path(over.uri) / table, partitioning=ds.partitioning(flavor="hive"), format="parquet"
    ).to_table()

    assert plain.num_rows == Tables(over.files).read(table).num_rows


@pytest.mark.skipif(FORMAT_VERSION != 2, reason="the script writes the format of its version")
def test_it_is_what_its_script_makes(copy: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_store_v2", DATA / "make_store_v2.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    script.make_store(tmp_path / "made")

    roots = (tmp_path / "made", copy)
    for root in roots:
        _set_last_signs(root, DIED.timestamp())
    made, kept = (Tables(LocalFiles(root)) for root in roots)
    for table in SCHEMAS:
        first = made.read(table).to_pandas()
        pd.testing.assert_frame_equal(first, kept.read(table).to_pandas())
    names = [
        sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if "compact-" not in p.name)
        for root in roots
    ]
    assert names[0] == names[1]
