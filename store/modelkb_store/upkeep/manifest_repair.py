"""Making a manifest anew: from the earlier ones, and from the files that are there."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa

from modelkb_store.commits.manifest import (
    CompactedFile,
    Manifest,
    is_compacted,
    latest_version,
    publish,
    version_of,
)
from modelkb_store.commits.transaction import described
from modelkb_store.errors import CorruptFileError
from modelkb_store.file_rows import read_rows
from modelkb_store.files.files import Files
from modelkb_store.schemas import SCHEMAS
from modelkb_store.upkeep.manifest_edits import change_manifest
from modelkb_store.upkeep.set_aside import SetAside


@dataclass(frozen=True, slots=True)
class _TableFile:
    path: str
    rows: pa.Table
    known: CompactedFile | None


def rebuild_manifest(files: Files, aside: SetAside) -> list[str]:
    """Publish a manifest in the place of a newest one that cannot be read.

    Every file that is there counts, but for those that the earlier manifest calls replaced, and
    those of which a newer compacted file has rows: a commit takes the whole of a file's rows
    over, or leaves it alone.

    Returns:
        What was done.
    """
    version = latest_version(files)
    earlier = _earlier(files, version)
    counted: dict[str, CompactedFile] = {}
    replaced = {path for path in earlier.replaced if files.exists(path)}
    for table in SCHEMAS:
        of_table = _read_table(files, aside, table, earlier)
        replaced |= _superseded(of_table, earlier)
        counted |= {f.path: f.known for f in of_table if f.known and f.path not in replaced}
    broken = f"manifest/{version:08d}.json"
    place = aside.copy(broken)
    publish(files, Manifest(version + 1, counted, frozenset(replaced), earlier.history))
    files.delete(broken)
    return [f"{broken} is made anew, with {len(counted)} compacted files (moved to {place})"]


def drop_from_manifest(files: Files, path: str) -> bool:
    """Let a compacted file that is not there count no longer."""

    def change(manifest: Manifest) -> Manifest | None:
        if path not in manifest.files or files.exists(path):
            return None
        left = {name: known for name, known in manifest.files.items() if name != path}
        return dataclasses.replace(manifest, version=manifest.version + 1, files=left)

    return change_manifest(files, change)


def _earlier(files: Files, version: int) -> Manifest:
    """Return the newest manifest before a version that can be read."""
    for info in reversed(files.list("manifest")):
        stem = PurePosixPath(info.path).stem
        if stem.isdigit() and int(stem) < version:
            try:
                facts = json.loads(files.read(info.path))
                known = {name: CompactedFile(**of) for name, of in facts["files"].items()}
                history = tuple(facts.get("history", ()))
                return Manifest(int(facts["version"]), known, frozenset(facts["replaced"]), history)
            except (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError):
                continue
    return Manifest()


def _read_table(files: Files, aside: SetAside, table: str, earlier: Manifest) -> list[_TableFile]:
    found = []
    for info in files.list(table):
        if not info.path.endswith(".parquet") or info.path in earlier.replaced:
            continue
        try:
            rows = read_rows(files, info.path, table)
        except CorruptFileError:
            # Else it would be taken for a leftover and deleted.
            if is_compacted(info.path):
                aside.move(info.path)
            continue
        known = described(table, rows, files.read(info.path)) if is_compacted(info.path) else None
        found.append(_TableFile(info.path, rows, known))
    return found


def _superseded(found: list[_TableFile], earlier: Manifest) -> set[str]:
    """Return the files whose rows a compacted file has that the earlier manifest lacks."""
    gone: set[str] = set()
    newer = [f for f in found if f.known is not None and f.path not in earlier.files]
    for new in sorted(newer, key=lambda f: version_of(f.path)):
        texts = _texts(new.rows)
        for old in found:
            is_older = old.known is None or version_of(old.path) < version_of(new.path)
            of_project = PurePosixPath(old.path).parent == PurePosixPath(new.path).parent
            if is_older and of_project and not texts.isdisjoint(_texts(old.rows)):
                gone.add(old.path)
    return gone


def _texts(rows: pa.Table) -> set[str]:
    return set(map(repr, rows.to_pylist()))
