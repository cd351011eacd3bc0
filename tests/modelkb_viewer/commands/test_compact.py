from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelkb_store import Store
from small_experiment import record_complete_experiment

Modelkb = Callable[..., Any]


def test_files_are_fewer(modelkb: Modelkb, store: Path) -> None:
    for number in (1, 2, 3):
        record_complete_experiment(store, "digits", number)
    before = Store(store).experiments()

    ended = modelkb("compact")

    assert (ended.exit_code, ended.errors) == (0, "")
    assert f"files fewer in {store}; 0 packs of weights merged." in ended.output
    assert int(ended.output.split()[0]) > 10
    assert Store(store).experiments().equals(before)
    assert modelkb("compact", "--json").json == {
        "store": str(store),
        "files_fewer": 0,
        "packs_merged": 0,
        "packs_deleted": 0,
    }


def test_small_packs_are_merged(modelkb: Modelkb, store: Path) -> None:
    import h5py
    import numpy as np

    from modelkb_store.writer import ExperimentWriter
    from small_experiment import experiment_record

    def save(value: int) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            with h5py.File(path, "w") as file:
                file["layers/dense/vars/0"] = np.full(10, value, "float32")

        return write

    for number in (1, 2):
        writer = ExperimentWriter(store, "digits", experiment_record(number))
        writer.add_checkpoint("end", save(number))
        writer.close()
    for path in (store / "objects").rglob("*.h5"):
        os.utime(path, (1, 1))

    facts = modelkb("compact", "--json").json

    assert (facts["packs_merged"], facts["packs_deleted"]) == (2, 2)
    assert len(list((store / "objects/packs").rglob("*.h5"))) == 1
    assert modelkb("check").exit_code == 0
