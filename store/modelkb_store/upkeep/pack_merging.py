"""Merging packs of variables: those with much garbage, and small ones."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from modelkb_store.commits.rows import rewrite_rows
from modelkb_store.file_rows import project_of
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.snapshot import consistently
from modelkb_store.upkeep.references import References
from modelkb_store.weights.pack import opened_pack
from modelkb_store.weights.repack import repack

_PACKS = "objects/packs"
_SMALL_BYTES = 16 << 20
_MANY = 8
_GARBAGE_SHARE = 0.2


def packs_to_merge(
    files: Files, references: References, *, at_least: int = _MANY
) -> list[FileInfo]:
    """Return the packs that are better merged: a fifth of one is garbage, or many are small.

    Args:
        files: The store.
        references: What is in use.
        at_least: From how many small ones on they are merged.
    """
    used = references.variables_of_packs()
    old = [i for i in files.list(_PACKS) if used.get(i.path) and not references.is_young(i)]
    wasteful = [info for info in old if _has_much_garbage(files, info, used[info.path])]
    small = [info for info in old if info.size_bytes < _SMALL_BYTES and info not in wasteful]
    if len(small) + len(wasteful) < at_least:
        small = []
    return sorted([*wasteful, *small])


def merge_packs(files: Files, cutoff: datetime, *, at_least: int = 2) -> int:
    """Merge packs, and let the table of variables point to the new ones.

    The old ones stay, for writers that may just be about to refer to them;
    :func:`delete_unused_packs` deletes them.

    Args:
        files: The store; on this machine, since others know variables by heart.
        cutoff: Packs that were written or referred to later are left alone.
        at_least: From how many small packs on they are merged.

    Returns:
        How many packs were merged.

    Raises:
        CorruptFileError: A pack is damaged; nothing is changed.
        OSError: The disk is full.
    """
    if files.local_path("") is None:
        return 0

    def choose(references: References) -> tuple[list[str], set[str]]:
        used = references.variables_of_packs()
        chosen = [i.path for i in packs_to_merge(files, references, at_least=at_least)]
        return chosen, {variable for path in chosen for variable in used[path]}

    chosen, ids = consistently(files, lambda now: choose(References(now, cutoff)))
    if not chosen:
        return 0
    with tempfile.TemporaryDirectory(prefix=".merging-", dir=files.local_path("")) as folder:
        new_pack_of = repack(chosen, lambda path: _opened(files, path), ids, Path(folder))
        for path in sorted(set(new_pack_of.values()) - set(chosen)):
            files.write_file(path, Path(folder) / Path(path).name)
    for project in _projects(files):
        _point_to(files, project, set(chosen), new_pack_of)
    return len(chosen)


def delete_unused_packs(files: Files, cutoff: datetime) -> list[FileInfo]:
    """Delete the packs that no row refers to, and nobody has lately; returns those."""
    if files.local_path("") is None:
        return []
    gone = []
    for info in consistently(files, lambda now: unused_packs(files, References(now, cutoff))):
        # A writer that has found a variable in it may have touched it just now.
        if _is_as_before(files, info):
            files.delete(info.path)
            gone.append(info)
    return gone


def unused_packs(files: Files, references: References) -> list[FileInfo]:
    """Return the packs that no row in use refers to, and nobody has lately."""
    used = references.variables_of_packs()
    packs = files.list(_PACKS)
    return [info for info in packs if not used.get(info.path) and not references.is_young(info)]


def _is_as_before(files: Files, info: FileInfo) -> bool:
    return info in files.list(info.path.rpartition("/")[0])


def _opened(files: Files, path: str) -> BinaryIO | Path:
    return files.local_path(path) or files.open(path)


def _has_much_garbage(files: Files, info: FileInfo, used: set[str]) -> bool:
    """Return whether so much of a pack is garbage that it is worth writing it anew."""
    with files.open(info.path) as opened, opened_pack(opened, name=info.path) as file:
        sizes = {name: max(1, file[name].nbytes) for name in file}
    garbage = sum(size for name, size in sizes.items() if name not in used)
    return bool(garbage > _GARBAGE_SHARE * sum(sizes.values()))


def _projects(files: Files) -> list[str]:
    return consistently(
        files, lambda now: sorted({project_of(i.path) for i in now.table_files("variables")})
    )


def _point_to(
    files: Files, project: str, old_packs: set[str], new_pack_of: Mapping[str, str]
) -> None:
    """Let a project's rows of variables in some packs point to the new ones."""

    def change(rows: pa.Table) -> pa.Table:
        paths = [
            new_pack_of.get(variable, pack) if pack in old_packs else pack
            for variable, pack in zip(
                rows["variable_id"].to_pylist(), rows["pack_path"].to_pylist(), strict=True
            )
        ]
        position = rows.schema.get_field_index("pack_path")
        return rows.set_column(position, rows.schema.field(position), pa.array(paths, pa.string()))

    rewrite_rows(files, "variables", project, change, values=sorted(old_packs), column="pack_path")
