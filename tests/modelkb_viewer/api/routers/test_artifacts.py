from __future__ import annotations

from pathlib import Path

import h5py
import pytest
from starlette.testclient import TestClient

from modelkb_store import Store
from small_experiment import ARCHITECTURE, KERNEL, LAYER

HDF5 = "application/x-hdf5"


def test_the_architecture_is_json_or_the_file(
    ask: TestClient, experiment_id: str, tmp_path: Path
) -> None:
    path = f"/experiments/{experiment_id}/architecture"
    assert ask.get(path).json()["model_config"] == ARCHITECTURE.model_config
    answer = ask.get(path, headers={"Accept": HDF5})
    (tmp_path / "model.h5").write_bytes(answer.content)
    with h5py.File(tmp_path / "model.h5") as file:
        assert "model_config" in file.attrs


def test_the_architecture_of_an_experiment_is_asked_for_again(
    ask: TestClient, experiment_id: str
) -> None:
    """A name may become that of another experiment, and both forms have one address."""
    path = f"/experiments/{experiment_id}/architecture"
    of_file, of_json = ask.get(path, headers={"Accept": HDF5}), ask.get(path)
    for answer in (of_file, of_json):
        assert "accept" in answer.headers["vary"].lower()
        assert "immutable" not in answer.headers.get("cache-control", "")
    assert of_file.headers["cache-control"] == "private, no-cache"


def test_what_a_hash_names_is_kept_for_ever(ask: TestClient, experiment_id: str) -> None:
    row = ask.get(f"/experiments/{experiment_id}/artifacts").json()[0]
    for path in (f"/experiments/{experiment_id}/artifacts/{row['sha256']}", f"/{row['path']}"):
        assert "immutable" in ask.get(path).headers["cache-control"]


def test_layers_are_listed(ask: TestClient, experiment_id: str) -> None:
    (layer,) = ask.get(f"/experiments/{experiment_id}/layers").json()
    assert (layer["name"], layer["class_name"]) == (LAYER.name, LAYER.class_name)


def test_weights_come_whole_and_in_ranges(
    ask: TestClient, experiment_id: str, tmp_path: Path
) -> None:
    path = f"/experiments/{experiment_id}/checkpoints/end/weights"
    whole = ask.get(path)
    (tmp_path / "model.weights.h5").write_bytes(whole.content)
    with h5py.File(tmp_path / "model.weights.h5") as file:
        kept: list[h5py.Dataset] = []
        file.visititems(lambda _, each: kept.append(each) if hasattr(each, "dtype") else None)
        assert any((each[...] == KERNEL).all() for each in kept if each.shape == KERNEL.shape)
    part = ask.get(path, headers={"Range": "bytes=4-11"})
    assert part.status_code == 206
    assert part.content == whole.content[4:12]
    beyond = ask.get(path, headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    assert f"has {len(whole.content):,} bytes" in beyond.json()["detail"]


@pytest.mark.parametrize("checkpoint", ["3", "best"])
def test_a_checkpoint_that_is_not_there_is_missing(
    ask: TestClient, experiment_id: str, checkpoint: str
) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/checkpoints/{checkpoint}/weights")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_files_are_listed_and_read(ask: TestClient, experiment_id: str, store: Path) -> None:
    experiment = Store(store).experiment(experiment_id)
    rows = ask.get(f"/experiments/{experiment_id}/artifacts").json()
    assert rows
    for row in rows:
        answer = ask.get(f"/experiments/{experiment_id}/artifacts/{row['sha256']}")
        assert answer.content == experiment.read_artifact(row["sha256"])


@pytest.mark.parametrize("sha256", ["0" * 64, "..%2f..%2fformat.json", "nothing"])
def test_no_other_file_can_be_read(ask: TestClient, experiment_id: str, sha256: str) -> None:
    answer = ask.get(f"/experiments/{experiment_id}/artifacts/{sha256}")
    assert answer.status_code in (404, 422)
