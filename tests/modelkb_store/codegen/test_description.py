from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import keras
import pytest
from keras import layers

from modelkb_store.codegen import read_description
from modelkb_store.errors import DescriptionFileError


def _model() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="small")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.json"])
def test_each_kind_of_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".json":
        path.write_text(_model().to_json())
    else:
        _model().save(path)
    description = read_description(path)
    assert description.model_config["class_name"] == "Sequential"
    assert description.model_config["config"]["name"] == "small"
    assert description.origin == name
    assert path.suffix == ".json" or description.keras_version == keras.__version__


def test_the_kind_of_a_file_is_seen_in_it(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text(_model().to_json())
    assert read_description(path).model_config["class_name"] == "Sequential"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "JSON|Expecting"),
        (b"not json", "Expecting"),
        (b"[1, 2]", "no configuration of a model"),
        (b'{"class_name": "Dense"}', "no configuration of a model"),
        (b"\x89HDF\r\n\x1a\nbroken", "model.h5"),
        (b"PK\x03\x04broken", "model.h5"),
        (b"[" * 100_000, "model.h5"),
    ],
)
def test_damaged_files_are_named(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    with pytest.raises(DescriptionFileError, match=says) as caught:
        read_description(path)
    assert "model.save" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DescriptionFileError, match="nowhere.keras"):
        read_description(tmp_path / "nowhere.keras")


def test_a_file_of_weights_says_so(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "only.weights.h5", "w") as file:
        file["layer"] = [1.0]
    with pytest.raises(DescriptionFileError, match="weights alone"):
        read_description(tmp_path / "only.weights.h5")


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * ((1 << 28) + 1))
    with pytest.raises(DescriptionFileError, match="bytes"):
        read_description(path)


def test_an_archive_without_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "empty.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({}))
    with pytest.raises(DescriptionFileError, match="no configuration"):
        read_description(path)
