"""Datasets of HDF5 files as variables, with the same bits in both directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelkb_store.weights import hdf5_type
from modelkb_store.weights.variable import Variable
from modelkb_store.weights.variable_id import Array, little_endian

_DTYPE_ATTRIBUTE = "dtype"  # where Keras says which type opaque bytes have


class UnsupportedDatasetError(ValueError):
    """The dataset holds what no variable can; whoever reads the file says which one it is."""


def read_dataset(dataset: Any) -> Variable:
    """Read a dataset whole.

    Args:
        dataset: An open ``h5py.Dataset``.

    Raises:
        UnsupportedDatasetError: It holds no values, values of a type that is not a
            variable's, or its values lie in other files.
        OSError: It is damaged.
    """
    _check(dataset)
    kind = dataset.dtype.kind
    if kind != "V":
        values = np.asarray(dataset[()], dtype=dataset.dtype)
        return Variable.of(little_endian(values))
    values = np.empty(dataset.shape, dataset.dtype)
    if values.size:
        _read_opaque(dataset, values)
    name = dataset.attrs.get(_DTYPE_ATTRIBUTE)
    return Variable(values, name if isinstance(name, str) else values.dtype.name)


def type_text(dataset: Any) -> str | None:
    """Return the HDF5 type of a dataset as text, or None if its values' own type is it."""
    file_type = dataset.id.get_type()
    is_own = hdf5_type.is_same(file_type, hdf5_type.own_type(dataset.dtype))
    return None if is_own else hdf5_type.encoded(file_type)


def write_dataset(group: Any, name: str, variable: Variable, file_type: str | None) -> Any:
    """Write a variable as a contiguous dataset.

    Args:
        group: An open ``h5py.Group``.
        name: Of the dataset in the group.
        variable: The values.
        file_type: What :func:`type_text` gave.

    Returns:
        The ``h5py.Dataset``, for attributes.
    """
    import h5py

    values = variable.values
    own = file_type is None
    kind = hdf5_type.own_type(values.dtype) if own else hdf5_type.decoded(str(file_type))
    space = h5py.h5s.create_simple(values.shape) if values.shape else h5py.h5s.create(0)
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)  # equal content, equal file
    dataset = h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, space, settings))
    if values.size and values.dtype.kind == "V":
        dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(values), kind)
    elif values.size:
        dataset[...] = values
    return dataset


def _check(dataset: Any) -> None:
    import h5py

    dtype = dataset.dtype
    if dataset.shape is None:
        raise UnsupportedDatasetError("it has no values")
    if dataset.is_virtual or dataset.external:
        raise UnsupportedDatasetError("its values lie in other files")
    is_kept = (
        (dtype.kind == "V" and dtype.fields is None and dtype.subdtype is None)
        or dtype.kind == "S"
        or h5py.check_string_dtype(dtype) is not None
        # A type that is not the array's own, such as numbers of 10 bits, would be converted.
        or (dtype.kind in "biufc" and dataset.id.get_type() == h5py.h5t.py_create(dtype, logical=1))
    )
    if not is_kept or dtype.itemsize > _largest_item(dtype.kind):
        raise UnsupportedDatasetError(f"its type is {dtype}")


def _largest_item(kind: str) -> int:
    # Larger numbers are the processor's own, with bytes between them that mean nothing.
    return {"f": 8, "c": 16}.get(kind, 1 << 31)


def _read_opaque(dataset: Any, values: Array) -> None:
    import h5py

    # As what the file has: HDF5 refuses to convert between opaque types of two names.
    dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values, dataset.id.get_type())
