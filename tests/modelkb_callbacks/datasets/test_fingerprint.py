from __future__ import annotations

import hashlib
import struct
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from modelkb_callbacks.datasets.canonical_rows import UnknownValuesError, canonical_rows
from modelkb_callbacks.datasets.fingerprint import Fingerprint

FLOATS = nps.arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.integers(1, 5)),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)
LABELS = st.integers(-300, 300)


def fingerprint_of(*batches: tuple[Any, ...]) -> str:
    """Return the fingerprint of batches: inputs, and labels if there are any."""
    fingerprint = Fingerprint()
    for x, *y in batches:
        fingerprint.add([canonical_rows(x)], [canonical_rows(labels) for labels in y])
    return fingerprint.text()


def computed_by_the_book(samples: list[list[tuple[str, list[Any], tuple[int, ...]] | None]]) -> str:
    """Compute a fingerprint as FORMAT.md says, with none of our code."""
    total = 0
    for sample in samples:
        message = b""
        for leaf in sample:
            if leaf is None:
                message += b"|"
                continue
            kind, values, shape = leaf
            message += kind.encode() + struct.pack("<B", len(shape))
            message += struct.pack(f"<{len(shape)}Q", *shape)
            for value in values:
                if kind == "s":
                    message += struct.pack("<Q", len(value)) + value
                else:
                    message += struct.pack({"f": "<f", "b": "<B", "i": "<q"}[kind], value)
        total += int.from_bytes(hashlib.sha256(message).digest()[:16], "little")
    content = struct.pack("<Q", len(samples)) + (total % 2**128).to_bytes(16, "little")
    return hashlib.sha256(b"modelkb-fingerprint-1" + content).hexdigest()[:32]


def test_it_can_be_computed_from_the_format_alone() -> None:
    x = np.array([[1.5, -0.0], [2.0, 3.0], [0.25, 7.0]])
    y = np.array([3, 255, 256])
    expected = computed_by_the_book(
        [
            [("f", [1.5, 0.0], (2,)), None, ("b", [3], ())],
            [("f", [2.0, 3.0], (2,)), None, ("b", [255], ())],
            [("f", [0.25, 7.0], (2,)), None, ("i", [256], ())],
        ]
    )
    assert fingerprint_of((x, y)) == expected
    texts = np.array([["good", "film"], ["schön", ""]], dtype=object)
    expected = computed_by_the_book(
        [
            [("s", [b"good", b"film"], (2,)), None, ("i", [-1], ())],
            [("s", ["schön".encode(), b""], (2,)), None, ("b", [4], ())],
        ]
    )
    assert fingerprint_of((texts, np.array([-1, 4]))) == expected
    images = np.arange(8, dtype="uint8").reshape(2, 2, 2)
    expected = computed_by_the_book(
        [[("b", list(image.ravel()), (2, 2)), None] for image in images]
    )
    assert fingerprint_of((images,)) == expected


def test_a_fingerprint_of_this_version_stays_what_it_is() -> None:
    """A change of any digit is a new version of the format."""
    assert fingerprint_of((np.array([[0.5, 1.0]]), np.array([1]))) == (
        "0c1c363307cad72a484f33469b7ddb0b"
    )


@given(FLOATS, st.data())
def test_neither_order_nor_batches_matter(x: Any, data: st.DataObject) -> None:
    y = np.array(data.draw(st.lists(LABELS, min_size=len(x), max_size=len(x))))
    order = np.array(data.draw(st.permutations(range(len(x)))))
    cut = data.draw(st.integers(1, len(x)))
    batches = [(part, labels) for part, labels in ((x[order][:cut], y[order][:cut]),
               (x[order][cut:], y[order][cut:])) if len(part)]  # fmt: skip
    assert fingerprint_of(*batches) == fingerprint_of((x, y))


@given(FLOATS, st.data())
def test_one_value_matters(x: Any, data: st.DataObject) -> None:
    y = np.array(data.draw(st.lists(LABELS, min_size=len(x), max_size=len(x))))
    row, column = (data.draw(st.integers(0, extent - 1)) for extent in x.shape)
    other = x.copy()
    other[row, column] = 0.5 if other[row, column] != 0.5 else 0.75
    assert fingerprint_of((other, y)) != fingerprint_of((x, y))
    labels = y.copy()
    labels[row] += 1
    assert fingerprint_of((x, labels)) != fingerprint_of((x, y))
    assert fingerprint_of((x, y), (x[:1], y[:1])) != fingerprint_of((x, y))


@given(FLOATS)
def test_floats_of_any_width_are_the_floats_that_train(x: Any) -> None:
    wide = x.astype(np.float64)
    strided = np.asfortranarray(wide)[::1]
    assert fingerprint_of((wide,)) == fingerprint_of((x,)) == fingerprint_of((strided,))


@given(st.lists(st.integers(0, 127), min_size=1, max_size=20))
def test_integers_of_any_width(numbers: list[int]) -> None:
    values = np.array(numbers)[:, None] * np.ones((1, 3), dtype=np.int64)
    kinds = (np.int8, np.uint8, np.int16, np.int32, np.uint64)
    assert {fingerprint_of((values.astype(kind),)) for kind in kinds} == {fingerprint_of((values,))}


def test_containers_of_equal_values() -> None:
    x = np.random.default_rng(0).normal(size=(9, 4)).round(1)
    y = np.arange(9) % 3
    expected = fingerprint_of((x, y))
    assert fingerprint_of((pd.DataFrame(x), pd.Series(y))) == expected
    assert fingerprint_of((keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))) == (
        expected
    )
    assert fingerprint_of((scipy.sparse.csr_matrix(x), y)) == expected
    assert fingerprint_of((x, y[:, None])) == expected, "labels in one column"
    assert fingerprint_of((x, y == 1)) == fingerprint_of((x, (y == 1).astype("int32")))
    with np.errstate(all="ignore"):
        half = x.astype("float16")
    assert fingerprint_of((half, y)) == fingerprint_of((half.astype("float32"), y))


def test_texts_in_any_form() -> None:
    texts = ["a", "schön", ""]
    expected = fingerprint_of((np.array(texts, dtype=object),))
    assert fingerprint_of((np.array(texts),)) == expected
    assert fingerprint_of((np.array([text.encode() for text in texts]),)) == expected
    assert fingerprint_of((np.array(texts, dtype=object)[:, None],)) == expected
    assert fingerprint_of((np.array(["ab", ""]),)) != fingerprint_of((np.array(["a", "b"]),))


def test_what_is_different_stays_apart() -> None:
    x = np.ones((4, 6), dtype="float32")
    different = [
        (x,),
        (x.reshape(4, 2, 3),),
        (x.astype(int),),
        (x.astype(int) * 256,),
        (x[:3],),
        (x, x),
        (x, x[:, :0]),
        (x[:, :0],),
    ]
    assert len({fingerprint_of(batch) for batch in different}) == len(different)


def test_negative_zero_and_kinds_of_nan_are_one() -> None:
    payload = np.array([0x7FC00001, 0x7FC00000], dtype="<u4").view("<f4")[:, None]
    assert fingerprint_of((payload,)) == fingerprint_of((np.full((2, 1), np.nan),))
    assert fingerprint_of((np.zeros((2, 3)),)) == fingerprint_of((-np.zeros((2, 3)),))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.array([1 + 2j]), "complex128"),
        (np.array([object()]), "objects of type object"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "datetime64"),
        (np.array(3.0), "not one per sample"),
        (scipy.sparse.csr_matrix((64, 10_000_000)), "sparse batch as large as"),
    ],
)
def test_values_without_a_form_say_so(values: Any, why: str) -> None:
    with pytest.raises(UnknownValuesError, match=why):
        canonical_rows(values)


def test_leaves_of_different_lengths_are_no_batch() -> None:
    with pytest.raises(ValueError, match="leaves of"):
        fingerprint_of((np.ones(3), np.ones(4)))
