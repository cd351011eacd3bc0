from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pandas as pd
import pytest

from modelkb_store import Store


@pytest.mark.slow
def test_the_demo_leaves_open_files(store: Path) -> None:
    command = Path(sysconfig.get_path("scripts")) / "modelkb"
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}

    ended = subprocess.run(
        [command, "demo", "--json", "--store", store],
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
    )

    told = json.loads(ended.stdout)
    assert told["store"] == str(store)
    assert told["project"] == "digits"

    metrics = pd.read_parquet(store / "metrics")
    assert set(metrics["experiment_id"]) == {told["experiment_id"]}
    assert set(metrics["project"]) == {"digits"}
    assert set(metrics["split"]) == {"train", "validation"}
    assert metrics["epoch"].max() == 4
    last = metrics[metrics["epoch"] == 4].set_index(["split", "metric"])["value"]
    assert told["metrics"]["val_accuracy"] == last["validation", "accuracy"] > 0.8
    assert told["metrics"]["loss"] == last["train", "loss"]

    (run,) = pd.read_parquet(store / "experiments").to_dict("records")
    assert run["status"] == "finished"
    assert run["epochs_completed"] == 5
    assert list(run["problems"]) == []
    assert list(run["tags"]) == ["demo"]
    layers = pd.read_parquet(store / "layers")
    assert "Conv2D" in set(layers["class_name"])
    evaluation = pd.read_parquet(store / "evaluations").iloc[0]
    matrix = pd.DataFrame([list(row) for row in evaluation["confusion_matrix"]])
    assert matrix.shape == (10, 10)
    assert matrix.to_numpy().sum() == evaluation["sample_count"] == 360

    with h5py.File(told["architecture"], "r") as file:
        config = json.loads(file.attrs["model_config"])
    assert config["class_name"] == "Sequential"
    assert told["checkpoints"] == ["end"]
    (checkpoint,) = pd.read_parquet(store / "checkpoints").to_dict("records")
    variables = pd.read_parquet(store / "variables").set_index("variable_id")
    values = []
    for variable in checkpoint["variable_ids"]:  # as FORMAT.md tells how to read them
        with h5py.File(store / variables.loc[variable, "pack_path"], "r") as pack:
            values.append(pack[variable][()])
    (model,) = pd.read_parquet(store / "models").to_dict("records")
    assert sum(value.size for value in values) == model["parameter_count"]
    # Its training counts as a user's, so that it can be done again.
    script = Store(store).experiment(told["experiment_id"]).script()
    assert "load_digits(return_X_y=True)" in script
    assert "data slice" not in script


def test_a_machine_without_keras_is_told_what_to_install(
    modelkb: Callable[..., Any], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This is how Python marks a package that must not be imported.
    monkeypatch.setitem(sys.modules, "keras", None)

    ended = modelkb("demo", "--store", store)

    assert ended.exit_code == 1
    assert "pip install 'modelkb[tensorflow,demo]'" in ended.errors
    assert not store.exists()
