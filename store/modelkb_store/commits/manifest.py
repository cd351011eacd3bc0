"""The newest manifest says which compacted files count, and what they took the place of.

Manifests are numbered, and each is made only once (:meth:`Files.create`), so of two processes
that change something at the same time one has to look again. A reader that finds the same
number before and after listing the tables' folders has seen one state of the store.

Old ones are deleted, so a number that is free may have been taken: by others, while somebody was
slow. Each manifest therefore names those that it goes back to, and who has published one looks
whether the newest does so to it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from modelkb_store.errors import CorruptFileError
from modelkb_store.files.files import Files

_FOLDER = "manifest"
_KEPT = 3  # earlier ones, for readers that are just about to open one
_REMEMBERED = 200  # names of earlier ones
_COMPACTED = "compact-"


@dataclass(frozen=True, slots=True)
class CompactedFile:
    """What is known of a compacted file without opening it.

    Attributes:
        row_count: Its rows.
        size_bytes: Its size.
        sha256: Of its content, 64 hexadecimal digits.
        first_key, last_key: The smallest and largest value of the column that it is sorted by;
            None for a table without one.
    """

    row_count: int
    size_bytes: int
    sha256: str
    first_key: str | None = None
    last_key: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of the compacted part of a store.

    Attributes:
        version: From 1; 0 for a store where nothing was ever compacted.
        files: The compacted files that count, by path from the store's folder.
        replaced: Files that no longer count and may not be deleted yet.
        history: Names, by chance, of this one and those before it, oldest first.
    """

    version: int = 0
    files: Mapping[str, CompactedFile] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()
    history: tuple[str, ...] = field(default=(), compare=False)

    def counts(self, path: str) -> bool:
        """Return whether a Parquet file that lies in a table's folder is to be read."""
        if is_compacted(path):
            return path in self.files
        return path not in self.replaced

    def changed(
        self, add: Mapping[str, CompactedFile], remove: Iterable[str], forget: Iterable[str] = ()
    ) -> Manifest:
        """Return the next state.

        Args:
            add: New compacted files.
            remove: Files, compacted or not, that they take the place of.
            forget: Replaced files that are deleted by now.
        """
        gone = frozenset(remove)
        kept = {path: known for path, known in self.files.items() if path not in gone}
        replaced = (self.replaced - frozenset(forget)) | gone
        return Manifest(self.version + 1, {**kept, **add}, replaced, self.history)


def is_compacted(path: str) -> bool:
    """Return whether a file's name is one that only the manifest makes count."""
    return path.rpartition("/")[2].startswith(_COMPACTED)


def compacted_name(version: int, suffix: str) -> str:
    """Return the name of a file that is to count from a version on, without its extension."""
    return f"{_COMPACTED}{version:08d}-{suffix}"


def version_of(path: str) -> int:
    """Return from which version on a compacted file was meant to count; 0 if it says none."""
    number = PurePosixPath(path).name.removeprefix(_COMPACTED).partition("-")[0]
    return int(number) if number.isdigit() else 0


def latest_version(files: Files) -> int:
    """Return the number of the newest manifest; 0 without one."""
    return max(_versions(files), default=0)


def read_manifest(files: Files) -> Manifest:
    """Return the newest manifest.

    Raises:
        FileNotFoundError: It is deleted by now, since newer ones are there; read again.
        CorruptFileError: It is damaged.
    """
    version = latest_version(files)
    if not version:
        return Manifest()
    path = _path(version)
    try:
        return _parsed(files.read(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(f"{files.uri}/{path}", error) from error


@functools.lru_cache(maxsize=4)
def _parsed(content: bytes) -> Manifest:
    """Return what a manifest says; the same text is read again and again."""
    facts = json.loads(content)
    found = {name: CompactedFile(**known) for name, known in facts["files"].items()}
    history = tuple(facts.get("history", ()))
    return Manifest(int(facts["version"]), found, frozenset(facts["replaced"]), history)


def publish(files: Files, manifest: Manifest) -> bool:
    """Make a manifest the newest one.

    Returns:
        False if another process has published one of this number first.
    """
    name = secrets.token_hex(5)
    named = dataclasses.replace(manifest, history=(*manifest.history, name)[-_REMEMBERED:])
    if not files.create(_path(manifest.version), _text_of(named)):
        return False
    versions = _versions(files)
    if max(versions, default=0) > manifest.version and name not in _newest(files).history:
        files.delete(_path(manifest.version))
        return False
    for version in versions:
        if version < manifest.version - _KEPT:
            files.delete(_path(version))
    return True


def _newest(files: Files) -> Manifest:
    while True:
        with contextlib.suppress(FileNotFoundError):
            return read_manifest(files)


def _text_of(manifest: Manifest) -> bytes:
    facts: dict[str, Any] = {
        "version": manifest.version,
        "files": {path: asdict(known) for path, known in sorted(manifest.files.items())},
        "replaced": sorted(manifest.replaced),
        "history": manifest.history,
    }
    return f"{json.dumps(facts, indent=1)}\n".encode()


def _versions(files: Files) -> list[int]:
    names = [PurePosixPath(info.path) for info in files.list(_FOLDER)]
    return [int(n.stem) for n in names if n.suffix == ".json" and n.stem.isdigit()]


def _path(version: int) -> str:
    return f"{_FOLDER}/{version:08d}.json"
