"""A variable: values, and the name of their dtype where NumPy has none for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelkb_store.weights import variable_id as ids
from modelkb_store.weights.variable_id import Array


@dataclass(frozen=True, slots=True)
class Variable:
    """The values of a variable in memory.

    Attributes:
        values: The array; ``bfloat16`` and other types that NumPy lacks are opaque bytes
            (``V2``), strings are objects.
        dtype: The name of the dtype, such as ``bfloat16``.
    """

    values: Array
    dtype: str

    @classmethod
    def of(cls, values: Array) -> Variable:
        """Return an array as a variable, also one of a type of ``ml_dtypes``.

        Example:
            >>> Variable.of(np.zeros(3, "float32")).dtype
            'float32'
        """
        dtype = ids.dtype_name(values)
        if values.dtype.kind == "V" or values.dtype.type.__module__ != "numpy":
            values = np.ascontiguousarray(values).reshape(values.shape)
            values = values.view(f"V{values.dtype.itemsize}")
        return cls(values, dtype)

    @property
    def variable_id(self) -> str:
        """The id of the values; see :mod:`modelkb_store.weights.variable_id`."""
        return ids.variable_id(self.values, self.dtype)

    @property
    def size_bytes(self) -> int:
        """How many bytes the values have, without compression."""
        return ids.size_bytes(self.values)
