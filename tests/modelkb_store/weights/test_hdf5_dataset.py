from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from modelkb_store.weights.hdf5_dataset import write_dataset
from modelkb_store.weights.variable import Variable


def test_equal_variables_make_equal_files(tmp_path: Path) -> None:
    """HDF5 would keep the second of their making."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        values = np.arange(3, dtype="float32")
        dataset = write_dataset(file, "x", Variable(values, "float32"), None)
        assert not dataset.id.get_create_plist().get_obj_track_times()
        assert dataset[()].tolist() == [0.0, 1.0, 2.0]
