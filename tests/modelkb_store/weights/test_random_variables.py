"""Variables of any dtype and shape: ids that are computed by hand, and the same bits back."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modelkb_store.errors import CorruptFileError
from modelkb_store.weights.chunk_codec import NOT_FILTERED, compressed
from modelkb_store.weights.pack import opened_pack, read_variable, verify_pack, write_pack
from modelkb_store.weights.variable import Variable
from modelkb_store.weights.variable_id import variable_id
from modelkb_store.weights.weights_file import read_weights_file, write_weights_file

NUMBERS = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
]
OPAQUE = [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.int4]

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    """Arrays of any bits: NaN payloads, negative zeros, infinities; in any order in memory."""
    dtype = np.dtype(draw(st.sampled_from([*NUMBERS, *OPAQUE])))
    shape = draw(shapes)
    size = math.prod(shape)
    content = draw(st.binary(min_size=size * dtype.itemsize, max_size=size * dtype.itemsize))
    if dtype == "bool":
        content = bytes(byte & 1 for byte in content)
    values = np.frombuffer(content, dtype).reshape(shape)
    if dtype.kind in "iufc" and draw(st.booleans()):
        values = values.astype(dtype.newbyteorder(">"))
    if draw(st.booleans()):
        values = np.asfortranarray(values) if values.ndim else values
    return values


texts = hnp.arrays(
    object,
    hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4),
    elements=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
    fill=st.nothing(),
)


def content_by_hand(values: Any) -> bytes:
    if values.dtype.kind == "O":
        encoded = [text.encode() for text in values.flat]
        return b"".join(struct.pack("<Q", len(text)) + text for text in encoded)
    # An element by itself is in the machine's order.
    return b"".join(values[index].tobytes() for index in np.ndindex(values.shape))


def id_by_hand(values: Any) -> str:
    name = "string" if values.dtype.kind == "O" else values.dtype.name
    head = f"{name}\n{','.join(str(size) for size in values.shape)}\n"
    return hashlib.sha256(head.encode() + content_by_hand(values)).hexdigest()[:32]


def bits(variable: Variable) -> tuple[Any, ...]:
    values = variable.values
    if values.dtype.kind == "O":
        return variable.dtype, values.shape, [text_bytes(text) for text in values.flat]
    return variable.dtype, values.shape, values.tobytes()


def text_bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@given(arrays() | texts)
def test_ids_are_as_documented(values: Any) -> None:
    assert variable_id(values) == id_by_hand(values)
    assert Variable.of(values).variable_id == id_by_hand(values)


@given(arrays(), arrays())
def test_other_bits_or_types_or_shapes_have_other_ids(one: Any, other: Any) -> None:
    same = bits(Variable.of(little(one))) == bits(Variable.of(little(other)))
    assert (variable_id(one) == variable_id(other)) == same


def little(values: Any) -> Any:
    is_number = values.dtype.kind in "iufc"
    return np.ascontiguousarray(
        values, values.dtype.newbyteorder("<") if is_number else values.dtype
    ).reshape(values.shape)


def test_ids_of_an_example_stay() -> None:
    head = b"float32\n2,3\n"
    content = struct.pack("<6f", 0, 1, 2, 3, 4, 5)
    expected = hashlib.sha256(head + content).hexdigest()[:32]
    assert variable_id(np.arange(6, dtype="float32").reshape(2, 3)) == expected
    assert variable_id(np.float32(1)) != variable_id(np.ones(1, "float32"))
    assert variable_id(np.float32(0.0)) != variable_id(np.float32(-0.0))


@settings(max_examples=60)
@given(st.lists(arrays() | texts, max_size=6))
def test_packs_give_back_all_bits(values: list[Any]) -> None:
    variables = {v.variable_id: v for v in map(Variable.of, map(native, values))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.h5"
        write_pack(path, variables.items())
        assert list(verify_pack(path)) == sorted(variables)
        for source in (path, io.BytesIO(path.read_bytes())):
            with opened_pack(source) as file:
                for key, variable in variables.items():
                    assert bits(read_variable(file, key)) == bits(variable)


def native(values: Any) -> Any:
    return values if values.dtype.kind == "O" else little(values)


@settings(max_examples=60)
@given(st.lists(arrays() | texts, max_size=6))
def test_weights_files_give_back_all_bits(values: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder) / "a.weights.h5", Path(folder) / "b.weights.h5"
        with h5py.File(path, "w") as file:
            for number, array in enumerate(values):
                write_as_keras(file, f"layers/layer_{number}/vars/0", array)
        weights = read_weights_file(path)
        variables = dict(weights.variables())
        assert set(weights.variable_paths) == {
            f"layers/layer_{number}/vars/0" for number in range(len(values))
        }
        ids = [variables[name].variable_id for name in weights.variable_paths]
        by_id = dict(zip(ids, variables.values(), strict=True))
        write_weights_file(
            target, weights.structure, weights.variable_paths, ids, by_id.__getitem__
        )
        with h5py.File(path) as one, h5py.File(target) as other:
            for name in weights.variable_paths:
                assert_same_dataset(one[name], other[name])


def write_as_keras(file: Any, name: str, values: Any) -> None:
    if values.dtype.kind == "O":
        file.create_dataset(name, data=values, dtype=h5py.string_dtype())
        return
    is_foreign = values.dtype.type.__module__ != "numpy"
    stored = little(values).view(f"V{values.dtype.itemsize}") if is_foreign else values
    dataset = file.create_dataset(name, data=stored)
    if values.dtype == ml_dtypes.bfloat16:
        dataset.attrs["dtype"] = "bfloat16"


def assert_same_dataset(one: Any, other: Any) -> None:
    assert (one.shape, one.dtype, dict(one.attrs)) == (other.shape, other.dtype, dict(other.attrs))
    left, right = np.asarray(one[()]), np.asarray(other[()])
    assert left.tolist() == right.tolist() if left.dtype.kind == "O" else True
    assert left.tobytes() == right.tobytes() if left.dtype.kind != "O" else True


@given(st.integers(1, 9), st.integers(1, 70_000), st.integers(0, 2**32 - 1), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_any_zlib_reads_compressed_chunks(item: int, count: int, seed: int, spread: int) -> None:
    random = np.random.default_rng(seed)
    planes = [random.integers(0, random.integers(1, spread + 2), count) for _ in range(item)]
    raw = np.stack(planes, axis=1).astype("uint8")
    chunk = np.ascontiguousarray(raw).view(f"V{item}").reshape(count)
    content, mask = compressed(chunk)
    if mask == NOT_FILTERED:
        assert content == chunk.tobytes()
    else:
        assert zlib.decompress(content) == raw.T.tobytes()
        assert len(content) < chunk.nbytes + 16  # of the smallest chunks


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "V2", "V3", "bool"])
@pytest.mark.parametrize(
    "shape", [(200_003,), (3, 70_001), (1000, 301), (7, 3, 3, 2049), (70_000, 1, 2), (1, 1, 99_999)]
)
def test_large_variables_come_back_from_chunks(
    dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    size = np.dtype(dtype).itemsize
    random = np.random.default_rng(0)
    content = random.normal(0, 20, math.prod(shape) * size).astype("int8")
    content = content & 1 if dtype == "bool" else content
    variable = Variable.of(content.view(dtype).reshape(shape))
    path = tmp_path / "pack.h5"
    write_pack(path, [(variable.variable_id, variable)])
    assert verify_pack(path) == (variable.variable_id,)
    with opened_pack(path) as file:
        dataset = file[variable.variable_id]
        assert bits(read_variable(file, variable.variable_id)) == bits(variable)
        assert dataset.shape == shape
        assert path.stat().st_size < variable.size_bytes + 10_000


def test_a_pack_of_the_same_variables_has_the_same_bytes(tmp_path: Path) -> None:
    variable = Variable.of(np.random.default_rng(0).normal(size=(300, 300)).astype("float32"))
    for name in ("a", "b"):
        write_pack(tmp_path / name, [(variable.variable_id, variable)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_seen_or_harmless(data: st.DataObject) -> None:
    """Any byte of a pack that is changed, or any end that is cut off."""
    random = np.random.default_rng(0)
    kept = [
        Variable.of(values)
        for values in (
            random.normal(size=(100, 50)).astype("float32"),
            np.zeros((3, 5000), "int32"),
            np.float64(1),
            np.array(["a", "bc"], object),
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.h5"
        write_pack(path, [(variable.variable_id, variable) for variable in kept])
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[at] ^= data.draw(st.integers(1, 255))
        else:
            del content[at:]
        path.write_bytes(content)
        try:
            ids = verify_pack(path)
        except CorruptFileError:
            return
        with opened_pack(path) as file:
            for variable in kept:
                if variable.variable_id in ids:
                    assert bits(read_variable(file, variable.variable_id)) == bits(variable)
