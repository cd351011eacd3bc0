"""Packs that somebody made to do harm; that those of ours pass is tested with their check."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from modelkb_store.weights.pack import opened_pack, pack_id, verify_pack, write_pack
from modelkb_store.weights.plain_pack import check_that_it_is_plain
from modelkb_store.weights.variable import Variable

Make = Callable[[h5py.File, Path], None]
MEBIBYTE = 1 << 20


def external_link(file: h5py.File, folder: Path) -> None:
    file["x"] = h5py.ExternalLink(str(folder / "secret.h5"), "/x")


def soft_link(file: h5py.File, folder: Path) -> None:
    file["x"] = h5py.SoftLink("/y")


def external_storage(file: h5py.File, folder: Path) -> None:
    (folder / "passwd").write_bytes(b"secret!!")
    file.create_dataset("x", (8,), "u1", external=[(str(folder / "passwd"), 0, 8)])


def virtual_dataset(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "x", (3,))
    file.create_virtual_dataset("x", layout)


def groups(file: h5py.File, folder: Path) -> None:
    file.create_group("/".join(["g"] * 5000))


def huge_shape(file: h5py.File, folder: Path) -> None:
    file.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 16,), compression="gzip")


def huge_contiguous(file: h5py.File, folder: Path) -> None:
    file.create_dataset("x", (1 << 40,), "f4")


def huge_chunk(file: h5py.File, folder: Path) -> None:
    file.create_dataset("x", (1,), "u1", maxshape=(None,), chunks=(1 << 28,), compression="gzip")


def huge_type(file: h5py.File, folder: Path) -> None:
    h5py.h5d.create(
        file.id,
        b"x",
        h5py.h5t.create(h5py.h5t.OPAQUE, (1 << 31) - 1),
        h5py.h5s.create_simple((64,)),
    )


def inflating_chunk(file: h5py.File, folder: Path) -> None:
    """A chunk of 64 KiB, it says; its stream goes on for 128 MiB."""
    made = file.create_dataset("x", (1 << 16,), "u1", chunks=(1 << 16,), compression="gzip")
    stream = zlib.compressobj(9)
    block = bytes(MEBIBYTE)
    content = b"".join(stream.compress(block) for _ in range(128)) + stream.flush()
    made.id.write_direct_chunk((0,), content)


def twice_compressed(file: h5py.File, folder: Path) -> None:
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((1 << 20,))
    settings.set_deflate(9)
    settings.set_deflate(9)
    space = h5py.h5s.create_simple((1 << 20,))
    h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_UINT8, space, settings)


def other_filter(file: h5py.File, folder: Path) -> None:
    file.create_dataset("x", data=np.zeros(1 << 16), chunks=(1 << 12,), compression="lzf")


def same_text_many_times(file: h5py.File, folder: Path) -> None:
    """One text of a mebibyte, which a hundred thousand elements refer to."""
    made = file.create_dataset("x", (100_000,), h5py.string_dtype())
    made[0] = "x" * MEBIBYTE
    file.flush()
    offset, path = made.id.get_offset(), file.filename
    file.close()
    content = bytearray(Path(path).read_bytes())
    content[offset : offset + 1_600_000] = bytes(content[offset : offset + 16]) * 100_000
    Path(path).write_bytes(content)


def large_attribute(file: h5py.File, folder: Path) -> None:
    file.create_dataset("x", data=np.zeros(3))
    file["x"].attrs["dtype"] = ["bfloat16"] * 1000


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (external_link, "links"),
        (soft_link, "links"),
        (external_storage, "other files"),
        (virtual_dataset, "other files"),
        (groups, "more than variables"),
        (huge_shape, "would become"),
        (huge_contiguous, "would become"),
        (huge_chunk, "would become|chunks of"),
        (huge_type, "would become"),
        (inflating_chunk, "another length"),
        (twice_compressed, "other filters"),
        (other_filter, "other filters"),
        (same_text_many_times, "texts take more"),
        (large_attribute, "no single values"),
    ],
)
def test_it_is_refused_before_it_is_read(tmp_path: Path, make: Make, reason: str) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["x"] = np.zeros(3)
    path = tmp_path / "pack.h5"
    file = h5py.File(path, "w")
    make(file, tmp_path)
    file.close()
    with opened_pack(path) as pack, pytest.raises(ValueError, match=reason):
        check_that_it_is_plain(pack, path.stat().st_size)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3000, 1000), "f4"),
        np.arange(100_001, dtype="i8"),
        np.random.default_rng(1).normal(size=(77, 1313)).astype("f4"),
        np.array(["ä", "", "word"] * 3000, object),
        np.array(7.0),
        np.zeros((0, 5), "f4"),
        np.array([True, False]),
    ],
    ids=str,
)
def test_what_we_write_passes(tmp_path: Path, values: Any) -> None:
    variable = Variable.of(values)
    path = tmp_path / "pack.h5"
    write_pack(path, [(variable.variable_id, variable)])
    with opened_pack(path) as pack:
        check_that_it_is_plain(pack, path.stat().st_size)
    assert pack_id(verify_pack(path)) == pack_id([variable.variable_id])
