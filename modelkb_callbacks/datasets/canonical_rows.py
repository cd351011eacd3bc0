"""One form for the values of equal samples, whatever types and containers they come in."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from modelkb_callbacks.rows import Array, to_numpy

Kind = Literal["float", "integer", "text"]

# What a sparse batch may take when it is spelled out.
_DENSE_BYTES = 256 << 20


class UnknownValuesError(TypeError):
    """Values that have no canonical form here, such as ragged tensors or objects."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One leaf of some samples.

    Attributes:
        kind: What the values are.
        values: float32 without negative zeros and with one NaN; integers of any width; or
            objects, each the UTF-8 bytes of a text. The first axis is the samples; labels
            in one column lose the second.
    """

    kind: Kind
    values: Array


def canonical_rows(leaf: Any) -> Rows:
    """Return a leaf of a batch, or of some rows of an array, in its canonical form.

    Raises:
        UnknownValuesError: There is none.
        TypeError: It is a ragged tensor.
    """
    values = _dense(leaf)
    if values.ndim == 0:
        raise UnknownValuesError("a value that is not one per sample")
    if values.shape[1:] == (1,):
        values = values[:, 0]
    if values.dtype.kind in "biu":
        return Rows("integer", values)
    # bfloat16 and 8-bit floats, which NumPy knows only through a package
    if values.dtype.kind == "f" or "float" in values.dtype.name:
        return Rows("float", _plain_floats(values))
    if values.dtype.kind in "OSUT":
        return Rows("text", _texts(values))
    raise UnknownValuesError(f"values of type {values.dtype.name}")


def _dense(leaf: Any) -> Array:
    name = type(leaf).__name__
    if name == "SparseTensor" or hasattr(leaf, "todense"):
        # Its width decides how much that is, so the extents are looked at first.
        extents = [int(extent) for extent in leaf.shape]
        if np.prod(extents, dtype=float) * 8 > _DENSE_BYTES:
            raise UnknownValuesError(f"a sparse batch as large as {extents}")
        if name == "SparseTensor":
            return to_numpy(sys.modules["tensorflow"].sparse.to_dense(leaf))
        return np.asarray(leaf.todense())
    if isinstance(leaf, np.ndarray):
        return leaf
    return np.asarray(leaf) if hasattr(leaf, "iloc") else to_numpy(leaf)


def _plain_floats(values: Array) -> Array:
    if values.dtype.kind != "f":
        values = values.astype(np.float32)
    with np.errstate(all="ignore"):
        # Adding zero makes a negative zero a positive one.
        plain: Array = np.add(values, np.float32(0), dtype=np.float32, casting="same_kind")
        if np.isnan(plain.sum()):  # cheaper than a look at each
            plain[np.isnan(plain)] = np.nan
    return plain


def _texts(values: Array) -> Array:
    if values.dtype.kind == "S":
        flat = values.ravel().tolist()
    else:
        flat = [_utf8(value) for value in values.ravel().tolist()]
    texts: Array = np.empty(values.shape, dtype=object)
    texts.reshape(-1)[:] = flat  # a view
    return texts


def _utf8(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    raise UnknownValuesError(f"objects of type {type(value).__name__}")
