from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelkb_viewer.prediction.array_input import prepare_array, read_array
from modelkb_viewer.prediction.errors import InputError
from modelkb_viewer.prediction.input_spec import InputSpec
from modelkb_viewer.prediction.prepared import MOST_SAMPLES

IMAGE = InputSpec(None, "input", (8, 8, 1), "float32", 0.0, 1.0)
VECTOR = InputSpec(None, "input", (3,), "float32")
TEXT = InputSpec(None, "input", (), "string")


def _npy(array: Any, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **settings)
    return buffer.getvalue()


def _with_header(header: str, content: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def test_arrays_of_numbers_and_texts_are_read() -> None:
    assert read_array("a.npy", _npy(np.arange(3))).tolist() == [0, 1, 2]
    assert read_array("a.npy", _npy(np.array(["é", "b"]))).tolist() == ["é", "b"]
    in_columns = np.asfortranarray(np.arange(6).reshape(2, 3))
    assert read_array("a.npy", _npy(in_columns)).tolist() == in_columns.tolist()
    assert read_array("a.npy", _npy(np.array([1.5], dtype=">f8"))).tolist() == [1.5]


class _Evil:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1,2,3",
        _npy(np.array([_Evil()], dtype=object), allow_pickle=True),
        pickle.dumps(_Evil()),
        _npy(np.zeros(2, dtype=[("a", "i4")])),
        _npy(np.zeros(2, dtype="complex64")),
        _npy(np.zeros(2, dtype="datetime64[s]")),
        _npy(np.arange(99))[:-8],
        _npy(np.arange(99)) + b"more",
        _with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,)}"),
        _with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", bytes(8)),
        _with_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
        _with_header("__import__('os').abort()"),
        b"PK\x03\x04 an archive",
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="^a.npy cannot be used"):
        read_array("a.npy", content)


@given(st.binary(max_size=200))
def test_no_header_raises_anything_else(content: bytes) -> None:
    with pytest.raises(InputError):
        read_array("a.npy", b"\x93NUMPY" + content)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 8, 1), (1, 8, 8, 1)),
        ((8, 8), (1, 8, 8, 1)),
        ((5, 8, 8), (5, 8, 8, 1)),
        ((5, 8, 8, 1), (5, 8, 8, 1)),
        ((64,), (1, 8, 8, 1)),
        ((5, 64), (5, 8, 8, 1)),
    ],
)
def test_one_sample_or_several(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    prepared = prepare_array("a.npy", np.ones(shape), IMAGE)
    assert prepared.array.shape == expected
    assert prepared.array.dtype == np.float32
    assert len(prepared.samples) == expected[0]


def test_a_wrong_shape_is_said_with_the_right_one() -> None:
    with pytest.raises(InputError, match=r"its shape is 28 x 28.*8 x 8 x 1 for each sample"):
        prepare_array("a.npy", np.ones((28, 28)), IMAGE)


def test_values_are_kept_and_odd_ones_are_said() -> None:
    prepared = prepare_array("a.npy", np.full((8, 8, 1), 255.0), IMAGE)
    assert prepared.array.max() == 255.0
    assert prepared.warnings == (
        "values run from 255 to 255, those of the training data from 0 to 1",
    )
    missing = prepare_array("a.npy", np.array([1.0, np.nan, np.inf]), VECTOR)
    assert "2 values are missing" in missing.warnings[0]


def test_scalars_any_extent_and_texts() -> None:
    number = InputSpec(None, "age", (), "float32")
    assert prepare_array("a.npy", np.arange(4.0), number).array.shape == (4,)
    sequence = InputSpec(None, "words", (None,), "int32")
    assert prepare_array("a.npy", np.arange(4), sequence).array.shape == (1, 4)
    assert prepare_array("a.npy", np.array(["a", "b"]), TEXT).array.tolist() == ["a", "b"]
    assert prepare_array("a.npy", np.array([b"a"]), TEXT).array.tolist() == ["a"]
    with pytest.raises(InputError, match="it holds texts"):
        prepare_array("a.npy", np.array(["a"]), VECTOR)


def test_no_more_samples_than_are_predicted_at_once() -> None:
    prepared = prepare_array("a.npy", np.ones((MOST_SAMPLES + 5, 3)), VECTOR)
    assert len(prepared.array) == MOST_SAMPLES
    assert prepared.steps[0] == "the first 1,000 of 1,005 samples taken"
    with pytest.raises(InputError, match="no samples"):
        prepare_array("a.npy", np.ones((0, 3)), VECTOR)
