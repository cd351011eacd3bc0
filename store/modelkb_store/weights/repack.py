"""Many packs made into few: without what nothing refers to, and without duplicates."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from modelkb_store import atomic_file
from modelkb_store.errors import CorruptFileError
from modelkb_store.layout import pack_file
from modelkb_store.weights.pack import LIBRARY_VERSION, opened_pack, pack_id, pack_variable_ids

PACK_BYTES = 256 * 1024 * 1024


def repack(
    packs: Iterable[str],
    open_pack: Callable[[str], BinaryIO | Path],
    referred: Collection[str],
    folder: Path,
    limit_bytes: int = PACK_BYTES,
) -> dict[str, str]:
    """Copy the variables that are still referred to from packs into merged ones.

    Nothing is compressed again, and no input is changed. A merged pack may be an input once
    more, with the same path: inputs are garbage only if they are not among the results.

    Args:
        packs: The paths of the packs; of a variable that two have, the first one's counts.
        open_pack: Gives a pack by its path: a seekable binary file, which is closed
            afterwards, or a local path.
        referred: The ids of the variables to keep; those in other packs don't matter.
        folder: Where the merged packs are written, as ``<pack id>.h5``.
        limit_bytes: The size of a pack, as it is stored; only one whose single variable is
            larger is larger.

    Returns:
        The path in the store of each kept variable's new pack, by its id.

    Raises:
        FileNotFoundError: A pack is missing.
        CorruptFileError: A pack is damaged so that something of it cannot be copied. Merged
            packs that were finished before stay; inputs must not be deleted.
        OSError: A merged pack cannot be written.
    """
    wanted = set(referred)  # less those that are copied
    new_path_of: dict[str, str] = {}
    merged: _MergedPack | None = None
    with contextlib.ExitStack() as stack:
        for path in packs:
            with contextlib.ExitStack() as source:
                pack = open_pack(path)
                if not isinstance(pack, Path):
                    source.enter_context(pack)
                file = source.enter_context(opened_pack(pack, name=path))
                for variable_id in pack_variable_ids(file, name=path):
                    if variable_id not in wanted:
                        continue
                    wanted.remove(variable_id)
                    size = _stored_bytes(file, variable_id, path)
                    if merged is not None and merged.size_bytes + size > limit_bytes:
                        new_path_of |= merged.finish()
                        merged = None
                    if merged is None:
                        merged = stack.enter_context(_merged_pack(folder))
                    merged.copy(file, variable_id, size, path)
        if merged is not None:
            new_path_of |= merged.finish()
    return new_path_of


class _MergedPack:
    """A pack in the making, which gets its name from what is in it."""

    def __init__(self, folder: Path, partial: Path, file: Any) -> None:
        self.size_bytes = 0
        self._folder = folder
        self._partial = partial
        self._file = file
        self._ids: list[str] = []

    def copy(self, source: Any, variable_id: str, size: int, name: str) -> None:
        """Copy a variable's object, its compressed chunks as they are."""
        import h5py

        try:
            h5py.h5o.copy(source.id, variable_id.encode(), self._file.id, variable_id.encode())
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise CorruptFileError(name, error) from error
        self._ids.append(variable_id)
        self.size_bytes += size

    def finish(self) -> dict[str, str]:
        """Give the pack its name, and return its variables' new path."""
        self._file.close()
        name = pack_id(self._ids)
        atomic_file.name(self._partial, self._folder / f"{name}.h5")
        return dict.fromkeys(self._ids, pack_file(name))


@contextlib.contextmanager
def _merged_pack(folder: Path) -> Iterator[_MergedPack]:
    import h5py

    with (
        atomic_file.unnamed(folder, suffix=".h5.tmp") as partial,
        h5py.File(partial, "w", locking=False, libver=LIBRARY_VERSION) as file,
    ):
        yield _MergedPack(folder, partial, file)


def _stored_bytes(file: Any, variable_id: str, name: str) -> int:
    try:
        return int(file[variable_id].id.get_storage_size())
    except (OSError, RuntimeError, KeyError, AttributeError) as error:
        raise CorruptFileError(name, error) from error
