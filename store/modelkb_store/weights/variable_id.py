"""The id of a variable: what it holds, and nothing of where it came from.

It can be computed without ModelKB: the first 32 hexadecimal digits of the SHA-256 of

1. the name of the dtype (``float32``, ``bfloat16``, ``int8``, ..) and a line feed,
2. the shape, as decimal numbers with commas between (``3,4``; nothing for a scalar), and a
   line feed,
3. the values in C order and little endian; a boolean is one byte, 0 or 1.

An array of strings has the dtype ``string``; each of its elements is the length of its UTF-8
bytes as an unsigned 64-bit number, and then these bytes. NaN payloads and negative zeros
count as the bits that they are.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STRING = "string"
_ID_LENGTH = 32  # hexadecimal digits, 128 bits


def variable_id(values: Array, dtype: str | None = None) -> str:
    """Return the id of a variable's values.

    Args:
        values: The values. An array of objects must hold strings, as ``bytes`` or ``str``.
        dtype: The name of the dtype, where the array's own is another: HDF5 files hold
            ``bfloat16`` as two opaque bytes. By default :func:`dtype_name`.

    Returns:
        32 hexadecimal digits, which are equal for equal bits.

    Raises:
        TypeError: Elements of an array of objects are not strings.

    Example:
        >>> variable_id(np.arange(3, dtype="float32"))
        '2199ff62b5107c10671e1c108591e2ed'
    """
    name = dtype_name(values) if dtype is None else dtype
    digest = hashlib.sha256(f"{name}\n{','.join(map(str, values.shape))}\n".encode())
    digest.update(_content(values))
    return digest.hexdigest()[:_ID_LENGTH]


def dtype_name(values: Array) -> str:
    """Return the name that an array's dtype has in ids and records."""
    return STRING if values.dtype.kind == "O" else values.dtype.name


def size_bytes(values: Array) -> int:
    """Return how many bytes a variable's values have, without compression."""
    return sum(map(len, _texts(values))) if values.dtype.kind == "O" else values.nbytes


def little_endian(values: Array) -> Array:
    """Return the values in C order and little endian: the same array if they are so already."""
    order = values.dtype.byteorder
    is_big = order == ">" or (order == "=" and sys.byteorder == "big")
    # Not newbyteorder on every one: the types of ml_dtypes have no other order.
    dtype = values.dtype.newbyteorder("<") if is_big else values.dtype
    return np.asarray(values, dtype=dtype, order="C")


def _content(values: Array) -> bytes | memoryview:
    if values.dtype.kind == "O":
        return b"".join(struct.pack("<Q", len(text)) + text for text in _texts(values))
    # Element by element, a view has no meaning for elements of no bytes.
    return little_endian(values).reshape(-1).view(np.uint8).data if values.nbytes else b""


def _texts(values: Array) -> list[bytes]:
    texts = [text.encode() if isinstance(text, str) else text for text in values.flat]
    if not all(isinstance(text, bytes) for text in texts):
        raise TypeError("An array of objects must hold strings.")
    return texts
