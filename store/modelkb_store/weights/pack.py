"""Packs: HDF5 files of variables, each a dataset that has the variable's id as its name.

Numbers of more than some kilobytes are in chunks under HDF5's own filters ``shuffle`` and
``gzip``, so that every HDF5 library can read them; see :mod:`.chunk_codec`. Smaller ones
lie in their object's header. Where HDF5 has no name for a dtype, the attribute ``dtype``
says it, as Keras does. The writing of one pack needs memory for its largest variable.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from modelkb_store import atomic_file
from modelkb_store.errors import CorruptFileError, VariableNotFoundError
from modelkb_store.ids import content_id
from modelkb_store.weights import hdf5_type
from modelkb_store.weights.chunk_codec import compressed
from modelkb_store.weights.hdf5_dataset import UnsupportedDatasetError, read_dataset
from modelkb_store.weights.variable import Variable
from modelkb_store.weights.variable_id import Array, dtype_name, little_endian

# HDF5 1.10 and newer read it; its groups and indexes take a fifth of the older format's.
LIBRARY_VERSION = ("v110", "v110")

_COMPACT_BYTES = 4096
_CHUNK_BYTES = 256 * 1024  # fits the processor's cache together with its planes
_CHUNKS_DIVIDED_MAX = 1024


def pack_id(variable_ids: Iterable[str]) -> str:
    """Return the id of a pack: the content id of its variables' ids, sorted, each once."""
    return content_id(sorted(set(variable_ids)))


def write_pack(path: Path, variables: Iterable[tuple[str, Variable]]) -> None:
    """Write a pack, whole or not at all.

    Args:
        path: The file to make or replace.
        variables: Ids and variables, taken one after the other; a second one with the same
            id is passed over.

    Raises:
        OSError: It cannot be written.
    """
    import h5py

    with (
        atomic_file.replacing(path, suffix=".h5.tmp") as partial,
        h5py.File(partial, "w", locking=False, libver=LIBRARY_VERSION) as file,
    ):
        for variable_id, variable in variables:
            if variable_id not in file:
                _write_variable(file, variable_id, variable)


@contextlib.contextmanager
def opened_pack(pack: Path | BinaryIO, *, name: Path | str | None = None) -> Iterator[Any]:
    """Open a pack for reading.

    Args:
        pack: A local file, or one that is open and seekable, and stays so.
        name: What to call it in errors.

    Yields:
        The ``h5py.File``, for :func:`read_variable`.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is no HDF5 file.
    """
    import h5py

    if isinstance(pack, Path) and not pack.exists():
        raise FileNotFoundError(pack)
    try:
        file = h5py.File(pack, "r", locking=False)
    except (OSError, RuntimeError) as error:
        raise CorruptFileError(name or _name(pack), error) from error
    with file:
        yield file


def read_variable(file: Any, variable_id: str, *, name: Path | str = "pack") -> Variable:
    """Read a variable from an open pack, and check that it is the one that it should be.

    Args:
        file: What :func:`opened_pack` gave.
        variable_id: Its id.
        name: What to call the pack in errors.

    Raises:
        VariableNotFoundError: It is not in this pack.
        CorruptFileError: It cannot be read, or its values are not those of the id.
    """
    try:
        if variable_id not in file:
            raise VariableNotFoundError(variable_id, name)
        variable = read_dataset(file[variable_id])
        found = variable.variable_id
    except VariableNotFoundError:
        raise
    except (
        OSError,
        RuntimeError,
        KeyError,
        ValueError,
        TypeError,
        UnsupportedDatasetError,
    ) as error:
        raise CorruptFileError(name, error) from error
    if found != variable_id:
        raise CorruptFileError(name, f"the variable {variable_id} has the content of {found}")
    return variable


def verify_pack(pack: Path | BinaryIO) -> tuple[str, ...]:
    """Check that each variable of a pack has the content that its id says.

    Returns:
        The ids of its variables, sorted.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is damaged.
    """
    with opened_pack(pack) as file:
        ids = pack_variable_ids(file, name=_name(pack))
        for variable_id in ids:
            read_variable(file, variable_id, name=_name(pack))
    return ids


def pack_variable_ids(file: Any, *, name: Path | str = "pack") -> tuple[str, ...]:
    """Return the ids of the variables in an open pack, sorted.

    Raises:
        CorruptFileError: They cannot be read.
    """
    try:
        return tuple(sorted(file))
    except (OSError, RuntimeError) as error:
        raise CorruptFileError(name, error) from error


def _name(pack: Path | BinaryIO) -> Path | str:
    return pack if isinstance(pack, Path) else str(getattr(pack, "name", "pack"))


def _write_variable(file: Any, variable_id: str, variable: Variable) -> None:
    import h5py

    values = little_endian(variable.values)
    chunk = None
    if values.nbytes > _COMPACT_BYTES and values.ndim and values.dtype.kind != "O":
        chunk = _chunk_shape(values.shape, values.dtype.itemsize)
    dataset = _create(file, variable_id, values, chunk)
    if chunk is not None:
        _write_chunks(dataset, values, chunk)
    elif values.size and values.dtype.kind == "V":
        dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, values, dataset.id.get_type())
    elif values.size:
        dataset[...] = values
    if variable.dtype != dtype_name(values):
        dataset.attrs["dtype"] = variable.dtype


def _create(file: Any, name: str, values: Array, chunk: tuple[int, ...] | None) -> Any:
    import h5py

    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)  # equal content, equal file
    if chunk is not None:
        settings.set_chunk(chunk)
        settings.set_shuffle()
        settings.set_deflate(1)
    elif values.nbytes <= _COMPACT_BYTES:
        settings.set_layout(h5py.h5d.COMPACT)
    shape = values.shape
    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    kind = hdf5_type.own_type(values.dtype)
    return h5py.Dataset(h5py.h5d.create(file.id, name.encode(), kind, space, settings))


def _write_chunks(dataset: Any, values: Array, chunk: tuple[int, ...]) -> None:
    """Write chunks as they will be in the file, past HDF5's own slower compression."""
    steps = [range(0, size, length) for size, length in zip(values.shape, chunk, strict=True)]
    for start in itertools.product(*steps):
        part = values[tuple(slice(at, at + n) for at, n in zip(start, chunk, strict=True))]
        if part.shape != chunk:  # HDF5 has whole chunks only
            whole = np.zeros(chunk, values.dtype)
            whole[tuple(map(slice, part.shape))] = part
            part = whole
        content, mask = compressed(np.ascontiguousarray(part))
        dataset.id.write_direct_chunk(start, content, mask)


def _chunk_shape(shape: tuple[int, ...], item_bytes: int) -> tuple[int, ...]:
    """Return a block of values that follow each other, with little beyond the array's end."""
    limit = max(1, _CHUNK_BYTES // item_bytes)
    axis, inner = len(shape), 1
    while axis and inner * shape[axis - 1] <= limit:
        axis -= 1
        inner *= shape[axis]
    if axis == 0:
        return shape
    split = _chunk_length(shape[axis - 1], limit // inner)
    return (*(1 for _ in shape[: axis - 1]), split, *shape[axis:])


def _chunk_length(size: int, longest: int) -> int:
    """Return into what lengths to divide an axis, so that the last one is nearly full."""
    if longest > _CHUNKS_DIVIDED_MAX:
        return math.ceil(size / math.ceil(size / longest))
    lengths = range(longest, max(1, longest // 8) - 1, -1)
    return min(lengths, key=lambda length: math.ceil(size / length) * length)
