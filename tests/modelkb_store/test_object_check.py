from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from modelkb_store.errors import InvalidObjectError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import architecture_file, pack_file
from modelkb_store.object_check import check_object
from modelkb_store.weights.pack import pack_id
from small_experiment import record_complete_experiment


def test_what_a_run_has_written_is_what_it_says(store: Path) -> None:
    record_complete_experiment(store)
    files = LocalFiles(store)
    for info in files.list("objects"):
        check_object(info.path, files.local_path(info.path))
        with pytest.raises(InvalidObjectError, match="its content is that of"):
            check_object(f"{info.path}0", files.local_path(info.path))
    with pytest.raises(InvalidObjectError, match="none of architectures"):
        check_object("objects/other/ab/ab", files.local_path(info.path))


def test_packs_that_lead_elsewhere_or_fill_the_memory(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.zeros(3)
    path = tmp_path / "pack.h5"

    def linked(file: h5py.File) -> None:
        file["x"] = h5py.ExternalLink(str(secret), "/x")

    def grouped(file: h5py.File) -> None:
        file.create_group("x")

    def huge(file: h5py.File) -> None:
        file.create_dataset("x", (1 << 34,), "f4", chunks=(1 << 20,), compression="gzip")

    for make, reason in (
        (linked, "links"),
        (grouped, "more than variables"),
        (huge, "would become"),
    ):
        with h5py.File(path, "w") as file:
            make(file)
        with pytest.raises(InvalidObjectError, match=reason):
            check_object(pack_file(pack_id(["x"])), path)
    for content in (b"no HDF5", b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\xff" * 5000):
        path.write_bytes(content)
        with pytest.raises(InvalidObjectError, match="damaged"):
            check_object(pack_file(pack_id(["x"])), path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(InvalidObjectError, match="damaged"):
        check_object(pack_file(pack_id(["x"])), path)


def test_every_cut_of_a_file_is_refused(store: Path, tmp_path: Path) -> None:
    record_complete_experiment(store)
    files, path = LocalFiles(store), tmp_path / "cut.h5"
    for info in files.list("objects"):
        content = files.read(info.path)
        for size in range(0, len(content) - 1, max(1, len(content) // 40)):
            path.write_bytes(content[:size])
            with pytest.raises(InvalidObjectError):
                check_object(info.path, path)


def test_architectures_that_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "architecture.h5"
    good = {
        "modelkb_format_version": 2,
        "modelkb_architecture_id": "ab" * 16,
        "keras_version": "3",
        "backend": "jax",
        "model_config": "{}",
    }

    def check(**changes: object) -> None:
        with h5py.File(path, "w", libver="latest") as file:
            for name, value in {**good, **changes}.items():
                if value is not None:
                    file.attrs[name] = value
        check_object(architecture_file("ab" * 16), path)

    check()
    check(other=["x" * 1000] * 100_000)  # is not read
    for changes in (
        {"modelkb_architecture_id": ["ab" * 16] * 3},
        {"keras_version": None},
        {"model_config": "[" * 100_000},
        {"model_config": "[1, 2]"},
        {"model_config": "{"},
        {"modelkb_format_version": "x"},
        {"modelkb_format_version": 99},
        {"modelkb_architecture_id": "../../tokens/x"},
    ):
        with pytest.raises(InvalidObjectError):
            check(**changes)
    with path.open("r+b") as file:
        file.truncate((256 << 20) + 1)
    with pytest.raises(InvalidObjectError, match="more than"):
        check_object(architecture_file("ab" * 16), path)
