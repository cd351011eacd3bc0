"""Where things lie in a store: the one place that turns names and ids into paths."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import date

from modelkb_store._version import FORMAT_VERSION
from modelkb_store.errors import (
    CorruptFileError,
    FormatVersionError,
    NotAStoreError,
    StoreNotFoundError,
)
from modelkb_store.files.files import Files
from modelkb_store.files.open_files import is_remote, local_folder
from modelkb_store.project_names import project_folder

STORE_VARIABLE = "MODELKB_STORE"
DEFAULT_STORE = "modelkb"
FORMAT_FILE = "format.json"
AUDIT_FOLDER = "audit"
_AUDIT_FILE = re.compile(
    r"audit/(?P<month>\d{4}-\d\d)/(?P<day>(?P=month)-\d\d)-[0-9a-f]{10}-\d{4,}\.jsonl"
)
# Beside those of this version, `weights` of version 1.
OBJECT_PATTERN = (
    r"(architectures|packs|files|weights)/[0-9a-z]{2}/[0-9a-z]{2,64}(\.weights)?(\.h5)?"
)
_OBJECT_FILE = re.compile(f"objects/{OBJECT_PATTERN}")
_FORMAT_NAME = "modelkb-store"


def resolve_store_location(
    store: str | os.PathLike[str] | None, environ: Mapping[str, str] | None = None
) -> str:
    """Return where the store is: the argument, else ``$MODELKB_STORE``, else ``./modelkb``.

    A path is made absolute at once, so that a later ``os.chdir`` does not move the store.
    """
    environment = os.environ if environ is None else environ
    chosen = os.fspath(store or environment.get(STORE_VARIABLE) or DEFAULT_STORE)
    return chosen if is_remote(chosen) else str(local_folder(chosen).absolute())


def create_store(files: Files) -> None:
    """Make a store in a new or empty place, or check the one that is there.

    One of an older format becomes one of this: all that an older ModelKB wrote stays readable,
    but it could not read all that is written from now on.

    Raises:
        NotAStoreError: The place holds something else.
        FormatVersionError: The store is newer than this ModelKB.
        OSError: It cannot be made or written.
    """
    if not files.exists(FORMAT_FILE):
        entry = _first_entry(files)
        # Looked at again: another process may just have made the store. The format file
        # always comes first, so a foreign entry without it is really foreign.
        if entry is not None and not files.exists(FORMAT_FILE):
            raise NotAStoreError(files.uri, entry)
        write_format(files)
    elif check_store(files) < FORMAT_VERSION:
        # Inside: it reads tables, which build on what is here.
        from modelkb_store.upgrade import upgrade

        upgrade(files)


def check_store(files: Files) -> int:
    """Return the version of an existing store's format.

    Raises:
        StoreNotFoundError: There is none.
        FormatVersionError: It is newer than this ModelKB.
        CorruptFileError: Its ``format.json`` is damaged.
    """
    path = f"{files.uri}/{FORMAT_FILE}"
    try:
        found = json.loads(files.read(FORMAT_FILE))
        name, version = found["format"], int(found["version"])
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreNotFoundError(files.uri) from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise CorruptFileError(path, error) from error
    if name != _FORMAT_NAME:
        raise CorruptFileError(path, f"its format is {name!r}")
    if version > FORMAT_VERSION:
        raise FormatVersionError(files.uri, version, FORMAT_VERSION)
    return version


def table_folder(table: str, project: str | None = None) -> str:
    """Return the folder of a table, or of a project's part of it."""
    return table if project is None else f"{table}/{project_folder(project)}"


def table_file(table: str, project: str, stem: str) -> str:
    """Return the path of one Parquet file of a table."""
    return f"{table_folder(table, project)}/{stem}.parquet"


def architecture_file(architecture_id: str) -> str:
    """Return the path of an HDF5 architecture file."""
    return _object("architectures", architecture_id, ".h5")


def pack_file(pack_id: str) -> str:
    """Return the path of a pack of variables."""
    return _object("packs", pack_id, ".h5")


def kept_file(sha256: str) -> str:
    """Return the path of any other file with this content, such as console output."""
    return _object("files", sha256, "")


def is_object(path: str) -> bool:
    """Return whether a path is that of a file of content, which is named by a hash."""
    return _OBJECT_FILE.fullmatch(path) is not None


def tombstone_file(experiment_id: str) -> str:
    """Return the path of the note that an experiment is deleted."""
    return f"tombstones/{experiment_id}.json"


def audit_file(day: date, writer: str, number: int) -> str:
    """Return the path of what one server has noted of a day."""
    return f"{AUDIT_FOLDER}/{day:%Y-%m}/{day.isoformat()}-{writer}-{number:04}.jsonl"


def audit_day(path: str) -> date | None:
    """Return the day that such a file is about; None for any other file."""
    named = _AUDIT_FILE.fullmatch(path)
    try:
        return None if named is None else date.fromisoformat(named["day"])
    except ValueError:
        return None


def _object(kind: str, object_id: str, suffix: str) -> str:
    # Two digits of fan-out keep folders small with a hundred thousand objects.
    return f"objects/{kind}/{object_id[:2]}/{object_id}{suffix}"


def write_format(files: Files) -> None:
    """Say that a place is a store, and of this version."""
    text = json.dumps({"format": _FORMAT_NAME, "version": FORMAT_VERSION}, indent=2)
    files.write(FORMAT_FILE, f"{text}\n".encode())


def _first_entry(files: Files) -> str | None:
    folder = files.local_path("")
    if folder is None:
        return next((info.path for info in files.list("")), None)
    if not folder.is_dir():
        return None
    return next((e.name for e in sorted(folder.iterdir()) if not e.name.startswith(".")), None)
