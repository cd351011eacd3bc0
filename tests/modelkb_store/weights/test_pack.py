from __future__ import annotations

import io
import tempfile
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modelkb_store.errors import CorruptFileError, VariableNotFoundError
from modelkb_store.weights.pack import (
    opened_pack,
    pack_id,
    read_variable,
    verify_pack,
    write_pack,
)
from modelkb_store.weights.variable import Variable

_DTYPES = st.one_of(
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    arrays.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    st.sampled_from([np.dtype(bool), np.dtype("V1"), np.dtype("V2"), np.dtype("S5")]),
)


@st.composite
def any_variable(draw: st.DrawFn) -> Variable:
    dtype = draw(_DTYPES)
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40))
    raw = np.random.default_rng(draw(st.integers(0, 99)))
    size = int(np.prod(shape)) * dtype.itemsize
    content = raw.integers(0, 2 if dtype.kind == "b" else 256, size, np.uint8).tobytes()
    if dtype.kind == "S":  # HDF5 and NumPy both take zeros at the end for padding
        content = content.replace(b"\0", b"x")
    return Variable.of(np.frombuffer(content, dtype).reshape(shape))


def weights_like(*shape: int, seed: int = 0) -> Variable:
    values = np.random.default_rng(seed).normal(0, 0.05, shape).astype("float32")
    return Variable.of(values)


def assert_equal_bits(one: Variable, other: Variable) -> None:
    assert one.dtype == other.dtype
    assert one.values.shape == other.values.shape
    assert one.variable_id == other.variable_id


@settings(max_examples=150, deadline=None)
@given(st.lists(any_variable(), max_size=5))
def test_variables_come_back_with_equal_bits(variables: list[Variable]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5"
        write_pack(path, ((v.variable_id, v) for v in variables))
        assert verify_pack(path) == tuple(sorted({v.variable_id for v in variables}))
        with opened_pack(path) as file:
            for variable in variables:
                assert_equal_bits(read_variable(file, variable.variable_id), variable)


@pytest.mark.parametrize(
    "shape",
    [
        (300_000,),
        (1, 700_000),
        (3, 100_003),
        (7, 50_021),
        (2, 2, 90_001),
        (513, 257),
        (1200, 1, 80),
    ],
)
def test_arrays_of_many_chunks_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    variable = weights_like(*shape)
    path = tmp_path / "a.h5"
    write_pack(path, [(variable.variable_id, variable)])
    with opened_pack(path) as file:
        found = read_variable(file, variable.variable_id)
        chunk = file[variable.variable_id].chunks
    assert_equal_bits(found, variable)
    assert np.prod(chunk) * 4 <= 256 * 1024
    assert path.stat().st_size < 0.9 * variable.size_bytes + 8192


@pytest.mark.parametrize("kind", ["zeros", "noise", "runs"])
def test_kinds_of_bytes_come_back(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 1 << 32, 200_000, np.uint32)
    values = {"zeros": noise * 0, "noise": noise, "runs": noise // (1 << 28)}[kind]
    variable = Variable.of(values)
    write_pack(tmp_path / "a.h5", [(variable.variable_id, variable)])
    assert verify_pack(tmp_path / "a.h5") == (variable.variable_id,)
    assert (tmp_path / "a.h5").stat().st_size < variable.size_bytes + 8192


def test_strings_and_named_types_come_back(tmp_path: Path) -> None:
    strings = Variable.of(np.array([["a", ""], ["é" * 9000, "\n"]], object))
    named = Variable(np.zeros((3, 2), "V2"), "bfloat16")
    path = tmp_path / "a.h5"
    write_pack(path, [(v.variable_id, v) for v in (strings, named)])
    with opened_pack(path) as file:
        assert_equal_bits(read_variable(file, strings.variable_id), strings)
        assert_equal_bits(read_variable(file, named.variable_id), named)


def test_pack_is_plain_hdf5(tmp_path: Path) -> None:
    variable = weights_like(400, 300)
    write_pack(tmp_path / "a.h5", [(variable.variable_id, variable)])
    with h5py.File(tmp_path / "a.h5") as file:
        dataset = file[variable.variable_id]
        assert (dataset.compression, dataset.shuffle) == ("gzip", True)
        np.testing.assert_array_equal(dataset[17:19], variable.values[17:19])


def test_same_variables_are_the_same_file(tmp_path: Path) -> None:
    variables = [(v.variable_id, v) for v in (weights_like(99, 99), weights_like(5))]
    write_pack(tmp_path / "a.h5", variables)
    write_pack(tmp_path / "b.h5", [*variables, variables[0]])
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_pack_id_does_not_depend_on_order() -> None:
    assert pack_id(["b", "a"]) == pack_id(["a", "b", "a"]) != pack_id(["a"])


def test_pack_is_read_from_an_open_file(tmp_path: Path) -> None:
    variable = weights_like(200, 300)
    write_pack(tmp_path / "a.h5", [(variable.variable_id, variable)])
    assert verify_pack(io.BytesIO((tmp_path / "a.h5").read_bytes())) == (variable.variable_id,)


def test_missing_pack_and_variable_have_errors_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), opened_pack(tmp_path / "none.h5"):
        pass
    write_pack(tmp_path / "a.h5", [])
    with opened_pack(tmp_path / "a.h5") as file, pytest.raises(VariableNotFoundError):
        read_variable(file, "0" * 32)


def test_wrong_content_is_found(tmp_path: Path) -> None:
    write_pack(tmp_path / "a.h5", [("0" * 32, weights_like(3))])
    with pytest.raises(CorruptFileError, match="content of"):
        verify_pack(tmp_path / "a.h5")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_pack_is_damaged(tmp_path: Path, share: float) -> None:
    variables = [weights_like(300, 300, seed=i) for i in range(3)]
    path = tmp_path / "a.h5"
    write_pack(path, [(v.variable_id, v) for v in variables])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CorruptFileError):
        verify_pack(path)


def test_changed_bits_are_found_or_mean_nothing(tmp_path: Path) -> None:
    variables = [weights_like(100, 100, seed=i) for i in range(3)] + [weights_like(7)]
    path = tmp_path / "a.h5"
    write_pack(path, [(v.variable_id, v) for v in variables])
    content = path.read_bytes()
    ids = tuple(sorted(v.variable_id for v in variables))
    found = 0
    for at in np.random.default_rng(5).integers(0, len(content), 60):
        changed = bytearray(content)
        changed[at] ^= 0x41
        path.write_bytes(changed)
        try:
            assert verify_pack(path) == ids  # a bit between the objects
        except CorruptFileError:
            found += 1
    assert found > 50


def test_memory_is_bounded_by_the_largest_variable(tmp_path: Path) -> None:
    variables = (weights_like(1000, 1000, seed=i) for i in range(6))
    tracemalloc.start()
    write_pack(tmp_path / "a.h5", ((v.variable_id, v) for v in variables))
    verify_pack(tmp_path / "a.h5")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # one is 4 MB, and 8 MB while it is made


def test_nothing_is_left_of_a_pack_that_could_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_pack(tmp_path / "a.h5", [("0" * 32, Variable(np.array([None]), "string"))])
    assert list(tmp_path.iterdir()) == []
