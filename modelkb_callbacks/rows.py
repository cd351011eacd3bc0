"""Rows of whatever Keras takes for an array: NumPy, pandas, tensors of any backend."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

Array = np.ndarray[Any, Any]


def are_arrays(*structures: Any) -> bool:
    """Return whether all leaves can be indexed by row, as opposed to read once in order."""
    leaves = [leaf for structure in structures for leaf in keras.tree.flatten(structure)]
    leaves = [leaf for leaf in leaves if leaf is not None]
    return bool(leaves) and all(_is_array(leaf) for leaf in leaves)


def row_count(structure: Any) -> int:
    """Return the number of rows of the first array."""
    return int(keras.tree.flatten(structure)[0].shape[0])


def take_rows(array: Any, indices: Array) -> Array:
    """Return some rows as a NumPy array.

    Args:
        array: An array, a data frame or a tensor.
        indices: Row numbers, rising.
    """
    if hasattr(array, "iloc"):  # pandas indexes by label elsewhere
        return np.asarray(array.iloc[indices])
    if isinstance(array, np.ndarray):
        return array[indices]
    if hasattr(array, "tocsr"):  # scipy.sparse
        return np.asarray(array.tocsr()[indices].todense())
    if _package(array) in ("tensorflow", "jaxlib", "jax", "torch"):
        return to_numpy(array)[indices]
    return np.asarray(array[indices])


def to_numpy(tensor: Any) -> Array:
    """Return the values of a tensor or variable; a type unknown to NumPy as float32.

    Raises:
        TypeError: Rows of different lengths.
    """
    value = tensor.value if isinstance(tensor, keras.Variable) else tensor
    if type(value).__name__ == "RaggedTensor":
        raise TypeError("ragged tensors")
    if _is_resource(value):
        value = value.value()  # its own `numpy()` copies on the device first
    # Keras' own conversion asks TensorFlow in a way that NumPy 2 warns of.
    own = value.numpy() if _package(value) == "tensorflow" else keras.ops.convert_to_numpy(value)
    array = np.asarray(own)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def spread_values(variable: Any, most: int) -> Array:
    """Return values of a variable, evenly spread over it, in their order.

    Args:
        variable: A Keras variable.
        most: The most values.
    """
    stride = -(-math.prod(variable.shape) // most) or 1
    array = _host_view(variable)
    if array is not None:
        return array.reshape(-1)[::stride]
    # On a device, from which the rest need not be brought.
    return to_numpy(keras.ops.reshape(variable, (-1,))[::stride])


def _host_view(variable: Any) -> Array | None:
    """Return a variable's values without a copy, or None; only to be read at once."""
    value = variable.value
    if str(variable.dtype).startswith(("bfloat", "float8")):  # unknown to NumPy
        return None
    if _is_resource(value):
        tensor = value.value()
        return np.asarray(memoryview(tensor)) if "CPU" in tensor.device else None
    if _package(value) == "torch" and value.device.type == "cpu":
        view: Array = value.detach().numpy()
        return view
    # JAX would remember the view, and then copy at the next step what it should overwrite.
    return None


def _is_resource(value: Any) -> bool:
    """Return whether it is a variable of TensorFlow's that lies in one place."""
    return type(value).__name__ == "ResourceVariable"


def snapshot(tensor: Any) -> Any:
    """Return a tensor that stays as it is now, whatever its owner does with its memory.

    TensorFlow's and sparse tensors cannot be changed. Others can, or lie on the memory of a
    NumPy array that a generator may fill anew for each batch.
    """
    package = _package(tensor)
    if package == "tensorflow" or hasattr(tensor, "todense"):
        return tensor
    return tensor.detach().clone() if package == "torch" else np.array(tensor)


def _package(array: Any) -> str:
    return type(array).__module__.partition(".")[0]


def _is_array(leaf: Any) -> bool:
    shape = getattr(leaf, "shape", None)
    return shape is not None and len(shape) > 0 and hasattr(leaf, "__getitem__")
