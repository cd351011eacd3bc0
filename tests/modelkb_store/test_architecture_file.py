from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import pytest

from modelkb_store import FORMAT_VERSION, CorruptFileError, FormatVersionError
from modelkb_store.architecture_file import Architecture, read_architecture, write_architecture
from modelkb_store.files.local_files import LocalFiles
from small_experiment import ARCHITECTURE

LARGE = {"class_name": "Sequential", "config": {"layers": [f"layer {n}" for n in range(20_000)]}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an architecture file is to be."""
    return tmp_path / "objects" / "architecture.h5"


@pytest.fixture
def written(path: Path) -> Path:
    """An architecture file."""
    write_architecture(path, ARCHITECTURE)
    return path


def read(path: Path) -> Architecture:
    """Read a file as one of the store that its folder is."""
    return read_architecture(LocalFiles(path.parent), path.name)


def set_attribute(path: Path, name: str, value: Any) -> None:
    with h5py.File(path, "a") as file:
        file.attrs[name] = value


def test_an_architecture_comes_back(written: Path) -> None:
    assert read(written) == ARCHITECTURE
    assert [entry.name for entry in written.parent.iterdir()] == [written.name]


def test_the_attributes_are_those_of_keras(written: Path) -> None:
    with h5py.File(written, "r") as file:
        attributes = dict(file.attrs)
        names = list(file)

    assert json.loads(attributes["model_config"]) == ARCHITECTURE.model_config
    assert json.loads(attributes["training_config"]) == ARCHITECTURE.training_config
    assert attributes["keras_version"] == "3.15.1"
    assert attributes["backend"] == "tensorflow"
    assert attributes["modelkb_architecture_id"] == ARCHITECTURE.architecture_id
    # An empty group of weights would be a damaged file to Netron.
    assert names == []


def test_a_large_configuration_fits(path: Path) -> None:
    assert len(json.dumps(LARGE)) > 4 * 65_536
    large = replace(ARCHITECTURE, model_config=LARGE, training_config=LARGE)

    write_architecture(path, large)

    assert read(path) == large
    with h5py.File(path, "r") as file:
        assert json.loads(file.attrs["model_config"]) == LARGE


def test_a_file_is_little_larger_than_its_texts(path: Path) -> None:
    config = {"x": "y" * 11_000}

    write_architecture(path, Architecture("a", config, {"z": "z" * 900}, "3.0", "jax"))

    assert path.stat().st_size < 11_900 + 768


def test_hdf5_of_any_age_reads_a_file(written: Path) -> None:
    """Netron, too, reads superblocks up to 3; 2 is that of HDF5 1.8."""
    with h5py.File(written, "r") as file:
        assert file.id.get_create_plist().get_version()[0] == 2


def test_names_may_be_in_any_script(path: Path) -> None:
    named = replace(ARCHITECTURE, model_config={"name": '猫 & 犬 é \0 "quoted"'})

    write_architecture(path, named)

    assert read(path) == named


def test_a_model_that_keras_cannot_serialize(path: Path) -> None:
    bare = replace(ARCHITECTURE, model_config=None, training_config=None)

    write_architecture(path, bare)

    assert read(path) == bare
    with h5py.File(path, "r") as file:
        assert "model_config" not in file.attrs


def test_a_file_that_is_there_stays(written: Path) -> None:
    write_architecture(written, replace(ARCHITECTURE, backend="jax"))

    assert read(written).backend == "tensorflow"


def test_what_is_no_json_leaves_no_file(path: Path) -> None:
    with pytest.raises(TypeError, match="JSON"):
        write_architecture(path, replace(ARCHITECTURE, model_config={"layer": object()}))

    assert list(path.parent.iterdir()) == []


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
        read(path)


@pytest.mark.parametrize("part", [0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off(path: Path, part: float) -> None:
    write_architecture(path, replace(ARCHITECTURE, model_config=LARGE))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(CorruptFileError, match=re.escape(str(path))):
        read(path)


@pytest.mark.parametrize("content", [b"", b"text\n", bytes(10_000)])
def test_a_file_of_something_else(written: Path, content: bytes) -> None:
    written.write_bytes(content)

    with pytest.raises(CorruptFileError, match=re.escape(str(written))):
        read(written)


def test_another_hdf5_file(path: Path) -> None:
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file["values"] = [1, 2]

    with pytest.raises(CorruptFileError, match="modelkb_format_version"):
        read(path)


@pytest.mark.parametrize("name", ["modelkb_architecture_id", "keras_version", "backend"])
def test_an_attribute_that_is_missing(written: Path, name: str) -> None:
    with h5py.File(written, "a") as file:
        del file.attrs[name]

    with pytest.raises(CorruptFileError, match=name):
        read(written)


def test_a_newer_file_is_refused(written: Path) -> None:
    set_attribute(written, "modelkb_format_version", FORMAT_VERSION + 1)

    with pytest.raises(FormatVersionError, match=r"format 3.*up to 2"):
        read(written)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_config", "{"),
        ("model_config", b"\xff\xfe"),
        ("modelkb_format_version", "new"),
        ("model_config", "[1]"),
        ("model_config", "null"),
        ("training_config", 3),
        ("modelkb_format_version", [1, 2]),
    ],
)
def test_an_attribute_that_is_damaged(written: Path, name: str, value: Any) -> None:
    set_attribute(written, name, value)

    with pytest.raises(CorruptFileError, match=re.escape(str(written))):
        read(written)
