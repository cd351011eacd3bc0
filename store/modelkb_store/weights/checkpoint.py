"""Checkpoints: a weights file as the ids of its variables, and packs of those that are new."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelkb_store.errors import VariableNotFoundError
from modelkb_store.layout import pack_file
from modelkb_store.records import VariableRecord
from modelkb_store.weights.pack import opened_pack, pack_id, read_variable, write_pack
from modelkb_store.weights.variable import Variable
from modelkb_store.weights.weights_file import WeightsFile, read_weights_file, write_weights_file

_OPEN_PACKS_MAX = 8


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """What a store has to note of saved weights.

    Attributes:
        variables: A record of each variable, once; those known before have their old pack.
        new_variable_ids: Which of them are in the new pack.
        structure: Of the weights file; see :mod:`modelkb_store.weights.weights_file`.
        variable_paths: Where the variables are in the weights file.
        variable_ids: Their ids, in the same order.
        size_bytes: The size of the values of all variables, without compression.
        pack: The file that was written, or None if there was nothing new.
        pack_path: The path in the store that ``pack`` is to have, or None.
    """

    variables: tuple[VariableRecord, ...]
    new_variable_ids: tuple[str, ...]
    structure: str
    variable_paths: tuple[str, ...]
    variable_ids: tuple[str, ...]
    size_bytes: int
    pack: Path | None
    pack_path: str | None


def save_checkpoint(
    weights_file: Path,
    known: Callable[[Sequence[str]], Mapping[str, str]],
    folder: Path,
) -> SavedCheckpoint:
    """Write a pack of the variables of a weights file that are not stored yet.

    Args:
        weights_file: What Keras' ``save_weights`` wrote.
        known: Gets the ids, each once, and returns the pack's path of those stored already.
        folder: Where the new pack is written, as ``<pack id>.h5``.

    Returns:
        What to note, and the new pack.

    Raises:
        FileNotFoundError: There is no weights file.
        CorruptFileError: It is damaged.
        UnsupportedWeightsError: It holds something else than variables.
        OSError: The pack cannot be written.
    """
    weights = read_weights_file(weights_file)
    facts = _facts(weights)
    ids = tuple(fact.variable_id for fact in facts.values())
    pack_of = dict(known(tuple(dict.fromkeys(ids))))
    # The first path of each new id.
    new = {i: path for path, i in reversed(list(zip(facts, ids, strict=True))) if i not in pack_of}
    pack = pack_path = None
    if new:
        name = pack_id(new)
        pack, pack_path = folder / f"{name}.h5", pack_file(name)
        paths = frozenset(new.values())
        write_pack(pack, ((facts[p].variable_id, v) for p, v in weights.variables(paths)))
    records = {
        fact.variable_id: VariableRecord(
            fact.variable_id,
            fact.dtype,
            fact.shape,
            fact.size_bytes,
            pack_of.get(fact.variable_id) or str(pack_path),
        )
        for fact in facts.values()
    }
    size = sum(fact.size_bytes for fact in facts.values())
    return SavedCheckpoint(
        variables=tuple(records.values()),
        new_variable_ids=tuple(i for i in records if i in new),
        structure=weights.structure,
        variable_paths=weights.variable_paths,
        variable_ids=ids,
        size_bytes=size,
        pack=pack,
        pack_path=pack_path,
    )


def restore_checkpoint(  # noqa: PLR0917 - what a record has, and where to
    structure: str,
    paths: Sequence[str],
    ids: Sequence[str],
    pack_of: Mapping[str, str],
    open_pack: Callable[[str], BinaryIO | Path],
    target: Path,
) -> None:
    """Put a checkpoint's weights file together; Keras loads the bits that were saved.

    Every variable's content is compared with its id on the way.

    Args:
        structure: Of the checkpoint.
        paths: Its variables' paths in the weights file.
        ids: Their ids, in the same order.
        pack_of: The path of the pack that has a variable, by its id.
        open_pack: Gives a pack by its path: a seekable binary file, which is closed
            afterwards, or a local path.
        target: The file to make or replace; Keras wants it to end in ``.weights.h5``.

    Raises:
        VariableNotFoundError: A variable is in no pack.
        FileNotFoundError: A pack is missing.
        CorruptFileError: A pack is damaged.
    """
    missing = next((i for i in ids if i not in pack_of), None)
    if missing is not None:
        raise VariableNotFoundError(missing)
    with _OpenPacks(open_pack) as packs:

        def load(variable_id: str) -> Variable:
            path = pack_of[variable_id]
            return read_variable(packs.file(path), variable_id, name=path)

        write_weights_file(target, structure, paths, ids, load)


@dataclass(frozen=True, slots=True)
class _Fact:
    variable_id: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int


def _facts(weights: WeightsFile) -> dict[str, _Fact]:
    return {
        path: _Fact(
            variable.variable_id, variable.dtype, variable.values.shape, variable.size_bytes
        )
        for path, variable in weights.variables()
    }


class _OpenPacks:
    """The packs that were read last, kept open: variables of a pack are mostly together."""

    def __init__(self, open_pack: Callable[[str], BinaryIO | Path]) -> None:
        self._open_pack = open_pack
        self._open: dict[str, tuple[Any, contextlib.ExitStack]] = {}

    def __enter__(self) -> _OpenPacks:
        return self

    def __exit__(self, *_: object) -> None:
        for path in list(self._open):
            self._close(path)

    def file(self, path: str) -> Any:
        """Return an open pack."""
        entry = self._open.pop(path, None)
        if entry is None:
            if len(self._open) >= _OPEN_PACKS_MAX:
                self._close(next(iter(self._open)))
            entry = self._opened(path)
        self._open[path] = entry  # the newest is the last
        return entry[0]

    def _opened(self, path: str) -> tuple[Any, contextlib.ExitStack]:
        with contextlib.ExitStack() as stack:
            pack = self._open_pack(path)
            if not isinstance(pack, Path):
                stack.enter_context(pack)
            file = stack.enter_context(opened_pack(pack, name=path))
            return file, stack.pop_all()

    def _close(self, path: str) -> None:
        self._open.pop(path)[1].close()
