"""``modelkb reproduce``: real trainings, done again in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import MODELKB, modelkb_run, script_of
from modelkb_store import Experiment, Store
from modelkb_store.writer import ExperimentWriter
from modelkb_viewer.ending import INTERRUPTED

Modelkb = Callable[..., Any]
WriterFactory = Callable[..., ExperimentWriter]
Trained = Callable[..., Experiment]

HEAD = "import os, keras, numpy as np\n"
SEED = "keras.utils.set_random_seed(3)\n"
TRAIN = textwrap.dedent(
    """
    data = np.loadtxt("data.csv", delimiter=",").astype("float32")
    x, y = data[:, :4], data[:, 4:]
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.2),
         keras.layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, epochs=3, batch_size=16, validation_split=0.25, verbose=0)
    """
)


@pytest.fixture
def trained(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Trains by a script in a process of its own, on data in a file, and returns the run."""
    monkeypatch.setenv("MODELKB_STORE", str(store))
    write_data(tmp_path, seed=0)
    return lambda text: train(tmp_path, store, text)


@pytest.fixture(scope="module")
def seeded_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one seeded run."""
    folder = tmp_path_factory.mktemp("seeded")
    write_data(folder, seed=0)
    train(folder, folder / "modelkb", HEAD + SEED + TRAIN)
    return folder / "modelkb"


@pytest.fixture
def seeded(
    seeded_store: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Experiment:
    """A seeded run in a store of its own, with its data beside it."""
    monkeypatch.setenv("MODELKB_STORE", str(store))
    write_data(tmp_path, seed=0)
    shutil.copytree(seeded_store, store)
    return Store(store).experiment("original")


def train(folder: Path, store: Path, text: str) -> Experiment:
    """Train in a process of its own."""
    line = ["--project", "clouds", "--name", "original", "--store", store]
    ended = modelkb_run(*line, script_of(folder / "scripts", text), cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return Store(store).experiment("original")


def write_data(folder: Path, seed: int) -> None:
    """Write the file that the scripts read."""
    values = np.random.default_rng(seed).normal(size=(64, 5))
    np.savetxt(folder / "data.csv", values, delimiter=",")


@pytest.mark.slow
def test_a_seeded_run_is_identical(
    modelkb: Modelkb, seeded: Experiment, store: Path, tmp_path: Path
) -> None:
    original = seeded

    ended = modelkb("reproduce", original.id[-10:], "--json", "--keep", tmp_path / "kept")

    again = ended.json
    assert again == {
        "experiment": original.id,
        "reproduction": again["reproduction"],
        "verdict": "identical",
        "max_difference": 0.0,
        "first_difference": None,
        "causes": [],
        "same_architecture": True,
        "same_initial_weights": True,
        "same_final_weights": True,
        "compared_values": 12,
        "not_compared": [],
    }
    assert ended.exit_code == 0
    assert (tmp_path / "kept" / f"train-{original.id[-10:]}.py").exists()
    recorded = Store(store).experiment(again["reproduction"])
    assert recorded.project == "clouds"
    assert recorded.record.reproduces_experiment_id == original.id
    assert f"reproduces    {original.id}" in modelkb("show", recorded.id).output
    assert f"(again {original.id[-10:]})" in modelkb("ls").output


@pytest.mark.slow
def test_an_unseeded_run_is_identical_from_its_initial_state(
    modelkb: Modelkb, trained: Trained
) -> None:
    original = trained(HEAD + TRAIN)
    assert original.record.seed is None

    ended = modelkb("reproduce", original.id)

    shown = [line.split(maxsplit=1) for line in ended.output.splitlines()]
    assert ["verdict", "identical"] in shown, ended.output + ended.errors
    assert ["curves", "12 values, all equal to the bit"] in shown
    assert ended.exit_code == 0
    assert f"Writing the script of {original.id}\n" in ended.errors
    assert "Running " in ended.errors


@pytest.mark.slow
def test_other_data_is_a_cause_and_a_missing_file_a_failure(
    modelkb: Modelkb, seeded: Experiment, tmp_path: Path
) -> None:
    original = seeded
    write_data(tmp_path, seed=1)

    other = modelkb("reproduce", original.id, "--json")
    (tmp_path / "data.csv").unlink()
    missing = modelkb("reproduce", original.id)

    assert other.exit_code == 1
    assert other.json["verdict"] == "different"
    assert other.json["causes"][0].startswith("data: the training data is not the same any more")
    assert other.json["first_difference"] == {"metric": "loss", "epoch": 0}
    assert other.json["max_difference"] > 0.0
    assert other.json["same_initial_weights"] is True
    assert missing.exit_code == 1
    assert missing.output.splitlines()[0].split() == ["verdict", "failed"]
    assert "nothing was recorded" in missing.output
    assert "FileNotFoundError: data.csv not found." in missing.output
    assert "FileNotFoundError: data.csv not found." in missing.errors


@pytest.mark.slow
def test_all_of_a_project(
    modelkb: Modelkb, seeded: Experiment, writer_factory: WriterFactory
) -> None:
    ended_as = {"status": "finished", "reproduces_experiment_id": seeded.id}
    writer_factory("clouds", **ended_as).close()
    writer_factory("clouds", status="failed").close()
    writer_factory("another", status="finished").close()

    ended = modelkb("reproduce", "--all", "--project", "clouds")

    line, summary = ended.output.splitlines()
    assert line == f"{seeded.id[-10:]}  original  identical   12 values, all equal to the bit"
    assert summary == "1 experiment: 1 identical."
    assert ended.exit_code == 0
    assert "oneDNN" not in ended.errors  # what scripts print is passed over


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_ctrl_c_leaves_an_interrupted_run(seeded: Experiment, store: Path) -> None:
    original = seeded
    make_endless(store, original)
    process = subprocess.Popen(
        [*MODELKB, "reproduce", original.id], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while len(Store(store).experiments()) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    while not len(newest(store).metrics()) and time.monotonic() < deadline:
        time.sleep(0.2)

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    again = newest(store)
    assert process.returncode == INTERRUPTED
    assert again.record.reproduces_experiment_id == original.id
    assert again.record.status == "interrupted"
    assert f"The reproduction {again.id} is interrupted." in errors.decode()


def newest(store: Path) -> Experiment:
    opened = Store(store)
    return opened.experiment(opened.experiments()["experiment_id"].iloc[-1])


def make_endless(store: Path, original: Experiment) -> None:
    """Have the original trained for as many epochs as nobody waits for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (path,) = store.glob(f"hyperparameters/project=clouds/{original.id}.parquet")
    rows = pq.read_table(path)
    changed = [
        json.dumps(10**6) if name == "epochs" else value
        for name, value in zip(
            *map(pa.ChunkedArray.to_pylist, (rows["name"], rows["value"])), strict=True
        )
    ]
    place = rows.schema.get_field_index("value")
    pq.write_table(rows.set_column(place, rows.schema.field("value"), [changed]), path)


@pytest.mark.parametrize(
    "arguments",
    [[], ["9f1c2b7a4d", "--all"], ["--all"], ["9f1c2b7a4d", "--project", "clouds"]],
)
def test_either_one_or_all_of_a_project(modelkb: Modelkb, arguments: list[str]) -> None:
    ended = modelkb("reproduce", *arguments)

    assert ended.exit_code == 2
    assert "Error: " in ended.errors


def test_what_cannot_be_written_as_a_script_fails(
    modelkb: Modelkb, writer_factory: WriterFactory
) -> None:
    writers = [writer_factory("clouds", status="finished", name=name) for name in ("one", "two")]
    for writer in writers:
        writer.close()
    ids = [writer.experiment.experiment_id for writer in writers]

    one = modelkb("reproduce", "one", "--json")
    all_of_them = modelkb("reproduce", "--all", "--project", "clouds", "--json")

    assert one.exit_code == all_of_them.exit_code == 1
    assert one.json["verdict"] == "failed"
    assert one.json["reproduction"] is None
    assert one.json["max_difference"] is None
    (cause,) = one.json["causes"]
    assert cause.startswith("script: ")
    assert [row["experiment"] for row in all_of_them.json] == ids
    assert all_of_them.json[0] == one.json
    assert modelkb("reproduce", *ids, "--json").json == all_of_them.json


def test_a_project_without_experiments(modelkb: Modelkb, recorded_experiment: Experiment) -> None:
    ended = modelkb("reproduce", "--all", "--project", "nothing", "--store", Path("modelkb"))

    assert ended.exit_code == 0
    assert ended.output == "The project has no finished experiments.\n"
