from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np
import pytest

from modelkb_store.errors import CorruptFileError, VariableNotFoundError
from modelkb_store.weights.checkpoint import SavedCheckpoint, restore_checkpoint, save_checkpoint
from modelkb_store.weights.pack import verify_pack


def write_weights(path: Path, *seeds: int) -> Path:
    with h5py.File(path, "w") as file:
        for number, seed in enumerate(seeds):
            values = np.random.default_rng(seed).normal(size=(60, 50)).astype("float32")
            file[f"layers/dense_{number}/vars/0"] = values
            file[f"layers/dense_{number}/vars/1"] = np.zeros(50, "float32")
    return path


class Packs:
    """What is stored, as a store would know it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pack_of: dict[str, str] = {}
        self.opened: list[BinaryIO] = []

    def known(self, ids: Sequence[str]) -> Mapping[str, str]:
        assert len(set(ids)) == len(ids)
        return {i: self.pack_of[i] for i in ids if i in self.pack_of}

    def save(self, weights: Path) -> SavedCheckpoint:
        saved = save_checkpoint(weights, self.known, self.folder)
        self.pack_of |= {v.variable_id: v.pack_path for v in saved.variables}
        return saved

    def local(self, path: str) -> Path:
        return self.folder / Path(path).name

    def remote(self, path: str) -> BinaryIO:
        file = io.BytesIO(self.local(path).read_bytes())
        self.opened.append(file)
        return file


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs")


def restore(packs: Packs, saved: SavedCheckpoint, target: Path, *, remote: bool = False) -> None:
    restore_checkpoint(
        saved.structure,
        saved.variable_paths,
        saved.variable_ids,
        packs.pack_of,
        packs.remote if remote else packs.local,
        target,
    )


def contents(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def test_checkpoint_notes_all_variables_and_stores_each_once(tmp_path: Path, packs: Packs) -> None:
    saved = packs.save(write_weights(tmp_path / "a.weights.h5", 1, 2))
    assert saved.variable_paths[:2] == ("layers/dense_0/vars/0", "layers/dense_0/vars/1")
    assert len(saved.variable_ids) == 4
    assert len(saved.variables) == 3  # both biases are the same
    assert saved.size_bytes == 2 * (60 * 50 + 50) * 4
    assert saved.pack is not None
    assert verify_pack(saved.pack) == tuple(sorted(set(saved.variable_ids)))
    assert saved.pack_path == f"objects/packs/{saved.pack.name[:2]}/{saved.pack.name}"
    record = saved.variables[0]
    assert (record.dtype, record.shape, record.size_bytes) == ("float32", (60, 50), 12000)
    assert {v.pack_path for v in saved.variables} == {saved.pack_path}


def test_only_new_variables_are_written(tmp_path: Path, packs: Packs) -> None:
    first = packs.save(write_weights(tmp_path / "a.weights.h5", 1, 2))
    second = packs.save(write_weights(tmp_path / "b.weights.h5", 1, 3))
    assert second.pack is not None
    assert len(second.variables) == 3
    assert second.new_variable_ids == verify_pack(second.pack)
    assert [v.pack_path == first.pack_path for v in second.variables] == [True, True, False]


def test_known_weights_write_nothing(tmp_path: Path, packs: Packs) -> None:
    packs.save(write_weights(tmp_path / "a.weights.h5", 1))
    again = packs.save(tmp_path / "a.weights.h5")
    assert (again.pack, again.pack_path, again.new_variable_ids) == (None, None, ())
    assert len(list(packs.folder.iterdir())) == 1


@pytest.mark.parametrize("remote", [False, True])
def test_checkpoint_is_put_together_from_many_packs(
    tmp_path: Path, packs: Packs, remote: bool
) -> None:
    for seed in range(12):
        packs.save(write_weights(tmp_path / "part.weights.h5", seed))
    saved = packs.save(write_weights(tmp_path / "a.weights.h5", *range(12), 3, 0))
    assert saved.pack is None
    restore(packs, saved, tmp_path / "b.weights.h5", remote=remote)
    assert contents(tmp_path / "b.weights.h5") == contents(tmp_path / "a.weights.h5")
    assert all(file.closed for file in packs.opened)


def test_variable_without_a_pack_is_named(tmp_path: Path, packs: Packs) -> None:
    saved = packs.save(write_weights(tmp_path / "a.weights.h5", 1))
    gone = saved.variable_ids[0]
    del packs.pack_of[gone]
    with pytest.raises(VariableNotFoundError, match=gone):
        restore(packs, saved, tmp_path / "b.weights.h5")
    assert not (tmp_path / "b.weights.h5").exists()


@pytest.mark.parametrize("damage", [b"", b"no HDF5"])
def test_damaged_pack_is_named(tmp_path: Path, packs: Packs, damage: bytes) -> None:
    saved = packs.save(write_weights(tmp_path / "a.weights.h5", 1))
    assert saved.pack is not None
    saved.pack.write_bytes(damage)
    with pytest.raises(CorruptFileError, match=str(saved.pack_path)):
        restore(packs, saved, tmp_path / "b.weights.h5")
    assert not (tmp_path / "b.weights.h5").exists()
