from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modelkb_store.weights.variable_id import size_bytes, variable_id


def test_id_can_be_computed_without_us() -> None:
    values = np.array([[1.0, -0.0, np.nan], [2, 3, 4]], "float32")
    content = b"float32\n2,3\n" + values.tobytes()
    assert variable_id(values) == hashlib.sha256(content).hexdigest()[:32]


def test_id_of_strings_can_be_computed_without_us() -> None:
    content = b"string\n2\n" + struct.pack("<Q", 1) + b"a" + struct.pack("<Q", 2) + "é".encode()
    found = variable_id(np.array([b"a", "é"], object))
    assert found == hashlib.sha256(content).hexdigest()[:32]


def test_id_of_a_scalar_can_be_computed_without_us() -> None:
    content = b"int64\n\n" + (7).to_bytes(8, "little")
    assert variable_id(np.array(7)) == hashlib.sha256(content).hexdigest()[:32]


def test_dtype_that_numpy_lacks_has_the_id_of_its_name() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.arange(5).astype(ml_dtypes.bfloat16)
    assert variable_id(values) == variable_id(values.view("V2"), "bfloat16")


@settings(deadline=None)
@given(arrays.arrays(st.sampled_from(["<f4", "<i2", "<f8", "<c8"]), arrays.array_shapes()))
def test_order_of_bytes_and_of_memory_do_not_matter(values: np.ndarray) -> None:
    assert variable_id(values.astype(values.dtype.newbyteorder(">"))) == variable_id(values)
    assert variable_id(np.asfortranarray(values)) == variable_id(values)


@pytest.mark.parametrize(
    "other",
    [
        np.zeros((2, 3), "float32"),
        np.zeros((6,), "int32"),
        np.full((6,), -0.0, "float32"),
        np.zeros((0,), "float32"),
    ],
)
def test_another_dtype_shape_or_bit_is_another_variable(other: np.ndarray) -> None:
    assert variable_id(other) != variable_id(np.zeros((6,), "float32"))


def test_nan_payloads_differ() -> None:
    nans = np.array([0x7FC00000, 0x7FC00001], "uint32").view("float32")
    assert variable_id(nans[:1]) != variable_id(nans[1:])


def test_objects_that_are_no_strings_are_refused() -> None:
    with pytest.raises(TypeError, match="strings"):
        variable_id(np.array([1, None], object))


def test_size_of_strings_is_that_of_their_texts() -> None:
    assert size_bytes(np.array(["ab", "é"], object)) == 4
