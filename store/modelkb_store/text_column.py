"""Columns of texts, as plain arrays or as codes, however Parquet's reader hands them out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]


def plain_texts(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of texts, plain or dictionary-encoded, as one plain array."""
    return _one(column.cast(pa.string()))


def encoded_texts(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Return a column of texts as codes, -1 for null, and the distinct texts they stand for."""
    if pa.types.is_dictionary(column.type):
        encoded = _one(column.unify_dictionaries())
    else:
        encoded = _one(column.cast(pa.string()).dictionary_encode())
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1)
    return numpy_of(codes), encoded.dictionary.cast(pa.string())


def positions_in(column: pa.ChunkedArray, wanted: pa.Array) -> Codes:
    """Return for each text of a column its position among the wanted ones, else -1."""
    if pa.types.is_dictionary(column.type):
        codes, texts = encoded_texts(column)
        of_text = _positions(texts, wanted)
        return np.append(of_text, -1)[codes]
    return _positions(plain_texts(column), wanted)


def numpy_of(values: pa.Array | pa.ChunkedArray) -> Any:
    """Return an Arrow array without nulls as a NumPy array."""
    return (
        values.to_numpy(zero_copy_only=False)
        if isinstance(values, pa.Array)
        else (values.to_numpy())
    )


def _positions(texts: pa.Array, wanted: pa.Array) -> Codes:
    found = pc.index_in(texts, value_set=wanted, skip_nulls=True)
    return numpy_of(pc.fill_null(found.cast(pa.int64()), -1))  # type: ignore[no-any-return]


def _one(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):  # more than one array can hold
        raise pa.ArrowInvalid("more text than one array can hold")
    return combined
