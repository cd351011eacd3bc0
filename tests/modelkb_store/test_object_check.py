from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from modelkb_store.errors import InvalidObjectError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import pack_file
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
    path.write_bytes(b"no HDF5")
    with pytest.raises(InvalidObjectError, match="damaged"):
        check_object(pack_file(pack_id(["x"])), path)
