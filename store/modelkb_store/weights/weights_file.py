"""Keras' ``.weights.h5`` files, taken apart into variables and put together again.

What is not the value of a variable is the file's structure: JSON text of the groups, also
empty ones, with the attributes of groups and datasets, and their order where the file has
one. A group has ``members``; a dataset has none::

    {"members": {"layers": {"members": {"dense": {"members": {"vars": {
        "attributes": {"name": "dense"}, "members": {"0": {}, "1": {}}}}}}}}}

``attributes`` is missing where there are none; ``ordered`` says that a group keeps the order
of its members; ``type`` is the encoded HDF5 type of a dataset whose values' own type it is not.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkb_store import atomic_file
from modelkb_store.errors import CorruptFileError, UnsupportedWeightsError
from modelkb_store.weights.hdf5_attributes import read_attributes, write_attributes
from modelkb_store.weights.hdf5_dataset import (
    UnsupportedDatasetError,
    read_dataset,
    type_text,
    write_dataset,
)
from modelkb_store.weights.variable import Variable


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file without the values of its variables.

    Attributes:
        path: Where it is.
        structure: JSON text of all but the values.
        variable_paths: Where the variables are in it, such as ``layers/dense/vars/0``.
    """

    path: Path
    structure: str
    variable_paths: tuple[str, ...]

    def variables(self, paths: Collection[str] | None = None) -> Iterator[tuple[str, Variable]]:
        """Read variables one after the other, so that only one is in memory.

        Args:
            paths: The wanted ones; all by default.

        Yields:
            The path and the variable, in the order of ``variable_paths``.

        Raises:
            CorruptFileError: The file is damaged.
        """
        wanted = self.variable_paths if paths is None else frozenset(paths)
        with _opened(self.path) as file:
            for path in self.variable_paths:
                if path in wanted:
                    with _read_errors(self.path, path):
                        variable = read_dataset(file[path])
                    yield path, variable


def read_weights_file(path: Path) -> WeightsFile:
    """Read the structure of a weights file.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is no HDF5 file, or it is damaged.
        UnsupportedWeightsError: It has links into other places.
    """
    paths: list[str] = []
    with _opened(path) as file:
        structure = _read_group(path, file, "", paths)
    return WeightsFile(path, json.dumps(structure, separators=(",", ":")), tuple(paths))


def write_weights_file(
    path: Path,
    structure: str,
    paths: Sequence[str],
    ids: Sequence[str],
    load: Callable[[str], Variable],
) -> None:
    """Put a weights file together, whole or not at all.

    Args:
        path: The file to make or replace.
        structure: What :func:`read_weights_file` gave.
        paths: The variables' paths in the file.
        ids: Their ids, in the same order.
        load: Gives a variable by its id; called once for each path.

    Raises:
        ValueError: The structure is not one, or has other variables than ``paths``.
    """
    import h5py

    root = json.loads(structure)
    variables = dict(zip(paths, ids, strict=True))
    with (
        atomic_file.replacing(path, suffix=".tmp.weights.h5") as partial,
        h5py.File(
            partial, "w", locking=False, track_order=bool(root.get("ordered", False))
        ) as file,
    ):
        _write_group(file, root, "", lambda path: load(variables.pop(path)))
        if variables:
            raise ValueError(f"The structure has no variable {next(iter(variables))!r}.")


def _read_group(path: Path, group: Any, prefix: str, paths: list[str]) -> dict[str, Any]:
    import h5py

    members: dict[str, Any] = {}
    node = _with_attributes(path, group, {"members": members})
    if group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED:
        node["ordered"] = True
    for name in group:
        full = f"{prefix}{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise UnsupportedWeightsError(path, full, "it is a link")
        member = group[name]
        if isinstance(member, h5py.Group):
            members[name] = _read_group(path, member, f"{full}/", paths)
        elif isinstance(member, h5py.Dataset):
            own = type_text(member)
            facts = {} if own is None else {"type": own}
            members[name] = _with_attributes(path, member, facts)
            paths.append(full)
        else:
            raise UnsupportedWeightsError(path, full, "it is no group and no dataset")
    return node


def _with_attributes(path: Path, member: Any, facts: dict[str, Any]) -> dict[str, Any]:
    try:
        attributes = read_attributes(member)
    except ValueError as error:
        raise UnsupportedWeightsError(path, str(member.name), str(error)) from error
    return {"attributes": attributes, **facts} if attributes else facts


def _write_group(
    group: Any, node: dict[str, Any], prefix: str, take: Callable[[str], Variable]
) -> None:
    write_attributes(group, node.get("attributes", {}))
    for name, member in node["members"].items():
        if "members" in member:
            ordered = bool(member.get("ordered", False))
            child = group.create_group(name, track_order=ordered)
            _write_group(child, member, f"{prefix}{name}/", take)
        else:
            dataset = write_dataset(group, name, take(f"{prefix}{name}"), member.get("type"))
            write_attributes(dataset, member.get("attributes", {}))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    if not path.exists():
        raise FileNotFoundError(path)
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise CorruptFileError(path, error) from error
    with file:
        yield file


@contextlib.contextmanager
def _read_errors(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except UnsupportedDatasetError as error:
        raise UnsupportedWeightsError(path, name, str(error)) from error
    except (OSError, RuntimeError, KeyError) as error:
        raise CorruptFileError(path, error) from error
