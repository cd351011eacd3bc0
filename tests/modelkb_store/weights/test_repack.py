from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from modelkb_store.errors import CorruptFileError
from modelkb_store.weights.pack import pack_id, verify_pack, write_pack
from modelkb_store.weights.repack import repack
from modelkb_store.weights.variable import Variable


def pack_of(folder: Path, *seeds: int) -> tuple[str, list[str]]:
    """Write a pack, and return its name and the ids of its variables."""
    variables = [
        Variable.of(np.random.default_rng(seed).normal(size=(100, 200)).astype("float32"))
        for seed in seeds
    ]
    ids = [v.variable_id for v in variables]
    write_pack(folder / pack_id(ids), zip(ids, variables, strict=True))
    return pack_id(ids), ids


def test_packs_become_one_without_garbage_and_duplicates(tmp_path: Path) -> None:
    (one, [a, b]), (two, [c, d]) = pack_of(tmp_path, 1, 2), pack_of(tmp_path, 2, 3)
    assert b == c
    merged = repack([one, two], tmp_path.joinpath, {b, d, "f" * 32}, tmp_path / "new")
    name = pack_id([b, d])
    assert merged == dict.fromkeys((b, d), f"objects/packs/{name[:2]}/{name}.h5")
    assert [p.name for p in (tmp_path / "new").iterdir()] == [f"{name}.h5"]
    assert verify_pack(tmp_path / "new" / f"{name}.h5") == tuple(sorted((b, d)))
    assert verify_pack(tmp_path / one) == tuple(sorted((a, b)))


def test_chunks_are_copied_as_they_are(tmp_path: Path) -> None:
    name, [a] = pack_of(tmp_path, 1)
    new = tmp_path / "new" / Path(repack([name], tmp_path.joinpath, {a}, tmp_path / "new")[a]).name
    with h5py.File(tmp_path / name) as before, h5py.File(new) as after:
        assert after[a].id.read_direct_chunk((0, 0)) == before[a].id.read_direct_chunk((0, 0))
        assert after[a].compression == "gzip"


def test_merged_packs_have_a_largest_size(tmp_path: Path) -> None:
    packs = [pack_of(tmp_path, seed, 100 + seed) for seed in range(5)]
    ids = {i for _, found in packs for i in found}
    merged = repack([p for p, _ in packs], tmp_path.joinpath, ids, tmp_path / "new", 250_000)
    assert set(merged) == ids
    assert len(set(merged.values())) == 4
    assert all(p.stat().st_size < 260_000 for p in (tmp_path / "new").iterdir())
    for path in set(merged.values()):
        expected = tuple(sorted(i for i in ids if merged[i] == path))
        assert verify_pack(tmp_path / "new" / Path(path).name) == expected


def test_open_files_are_read_and_closed(tmp_path: Path) -> None:
    name, ids = pack_of(tmp_path, 1, 2)
    with (tmp_path / name).open("rb") as file:
        assert set(repack([name], lambda _: file, ids, tmp_path / "new")) == set(ids)
        assert file.closed


def test_nothing_referred_to_writes_nothing(tmp_path: Path) -> None:
    name, _ = pack_of(tmp_path, 1)
    assert repack([name], tmp_path.joinpath, (), tmp_path / "new") == {}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("share", [0, 0.5, 0.95])
def test_damaged_pack_is_an_error_and_leaves_no_partial_file(tmp_path: Path, share: float) -> None:
    (one, ids), (two, more) = pack_of(tmp_path, 1), pack_of(tmp_path, 2, 3)
    content = (tmp_path / two).read_bytes()
    (tmp_path / two).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CorruptFileError, match=two):
        repack([one, two], tmp_path.joinpath, {*ids, *more}, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
