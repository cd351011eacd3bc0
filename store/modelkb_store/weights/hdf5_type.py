"""HDF5 types as text, so that a type comes back exactly."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


def encoded(file_type: Any) -> str:
    """Return an ``h5py.h5t.TypeID`` as text: HDF5's own encoding, in base64."""
    return base64.b64encode(file_type.encode()).decode()


def decoded(text: str) -> Any:
    """Return the ``h5py.h5t.TypeID`` that :func:`encoded` got.

    Raises:
        ValueError: The text is not one.
    """
    import h5py

    return h5py.h5t.decode(base64.b64decode(text))


def own_type(dtype: np.dtype[Any]) -> Any:
    """Return the type that values of a dtype are written with: little endian, UTF-8."""
    import h5py

    if dtype.kind == "O":
        dtype = h5py.string_dtype()
    elif dtype.kind in "iufc":
        dtype = dtype.newbyteorder("<")
    return h5py.h5t.py_create(dtype, logical=1)


def is_same(one: Any, other: Any) -> bool:
    """Say whether two types are the same, also in how strings are encoded."""
    import h5py

    if one != other:
        return False
    # HDF5 itself takes strings in ASCII and in UTF-8 for equal if they have no fixed length.
    return not isinstance(one, h5py.h5t.TypeStringID) or (
        one.get_cset() == other.get_cset() and one.get_strpad() == other.get_strpad()
    )
