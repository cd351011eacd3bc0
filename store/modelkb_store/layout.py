"""Where things lie in a store: the one place that turns names and ids into paths."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from modelkb_store import atomic_file
from modelkb_store._version import FORMAT_VERSION
from modelkb_store.errors import (
    CorruptFileError,
    FormatVersionError,
    NotAStoreError,
    StoreNotFoundError,
)
from modelkb_store.project_names import project_folder

STORE_VARIABLE = "MODELKB_STORE"
DEFAULT_STORE = "modelkb"
_FORMAT_FILE = "format.json"
_FORMAT_NAME = "modelkb-store"


def resolve_store_path(
    store: str | os.PathLike[str] | None, environ: Mapping[str, str] | None = None
) -> Path:
    """Return the store's folder: the argument, else ``$MODELKB_STORE``, else ``./modelkb``.

    The path is made absolute at once, so that a later ``os.chdir`` does not move the store.
    """
    environment = os.environ if environ is None else environ
    chosen = store or environment.get(STORE_VARIABLE) or DEFAULT_STORE
    return Path(chosen).expanduser().absolute()


class Layout:
    """The paths of one store.

    Args:
        root: The store's folder. Use :meth:`create` or :meth:`open` to have it checked.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def create(cls, root: Path) -> Layout:
        """Make a store in a new or empty folder, or open the one that is there.

        Raises:
            NotAStoreError: The folder holds something else.
            FormatVersionError: The store is newer than this ModelKB.
            OSError: The folder cannot be made or written.
        """
        format_file = root / _FORMAT_FILE
        if not format_file.exists():
            entry = _first_visible_entry(root)
            # Looked at again: another process may just have made the store. The format
            # file always comes first, so a foreign entry without it is really foreign.
            if entry is not None and not format_file.exists():
                raise NotAStoreError(root, entry)
            text = json.dumps({"format": _FORMAT_NAME, "version": FORMAT_VERSION}, indent=2)
            atomic_file.write_bytes(format_file, f"{text}\n".encode())
        return cls.open(root)

    @classmethod
    def open(cls, root: Path) -> Layout:
        """Open an existing store.

        Raises:
            StoreNotFoundError: There is none.
            FormatVersionError: It is newer than this ModelKB.
            CorruptFileError: Its ``format.json`` is damaged.
        """
        format_file = root / _FORMAT_FILE
        try:
            found = json.loads(format_file.read_bytes())
            name, version = found["format"], int(found["version"])
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreNotFoundError(root) from error
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise CorruptFileError(format_file, error) from error
        if name != _FORMAT_NAME:
            raise CorruptFileError(format_file, f"its format is {name!r}")
        if version > FORMAT_VERSION:
            raise FormatVersionError(root, version, FORMAT_VERSION)
        return cls(root)

    def table_folder(self, table: str) -> Path:
        """Return the folder of a table, with all its projects."""
        return self.root / table

    def table_file(self, table: str, project: str, stem: str) -> Path:
        """Return the path of one Parquet file of a table."""
        return self.root / table / project_folder(project) / f"{stem}.parquet"

    def part_file(self, table: str, project: str, stem: str, part: int) -> Path:
        """Return the path of one part of an experiment's rows in a table that grows."""
        return self.table_file(table, project, f"{stem}-{part:04d}")

    def part_files(self, table: str, project: str, experiment_id: str) -> list[Path]:
        """Return the parts of an experiment's rows that are there, in their order."""
        folder = self.table_folder(table) / project_folder(project)
        return sorted(folder.glob(f"{experiment_id}-*.parquet"))

    def table_files(self, table: str) -> list[Path]:
        """Return all Parquet files of a table; what else lies there is passed over."""
        found = self.table_folder(table).glob("project=*/*.parquet")
        return sorted(path for path in found if not path.name.startswith("."))

    def architecture_file(self, architecture_id: str) -> Path:
        """Return the path of an HDF5 architecture file."""
        return self._object("architectures", architecture_id, ".h5")

    def weights_file(self, sha256: str) -> Path:
        """Return the path of a weights file with this content."""
        return self._object("weights", sha256, ".weights.h5")

    def weights_folder(self) -> Path:
        """Return the folder of all weights files."""
        return self.root / "objects" / "weights"

    def kept_file(self, sha256: str) -> Path:
        """Return the path of any other file with this content, such as console output."""
        return self._object("files", sha256, "")

    def files_folder(self) -> Path:
        """Return the folder of all files that are neither weights nor architectures."""
        return self.root / "objects" / "files"

    def trained_file(self, weights_id: str) -> Path:
        """Return the path of the note that says which experiment made these weights."""
        return self._object("trained", weights_id, ".json")

    def relative(self, path: Path) -> str:
        """Return a path as it is recorded: from the store's root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def absolute(self, recorded: str) -> Path:
        """Return the path of a recorded file, which must lie inside the store.

        Raises:
            CorruptFileError: The recorded path leads out of the store.
        """
        path = self.root / recorded
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise CorruptFileError(path, "the recorded path leads out of the store")
        return path

    def _object(self, kind: str, object_id: str, suffix: str) -> Path:
        # Two digits of fan-out keep folders small with a hundred thousand objects.
        return self.root / "objects" / kind / object_id[:2] / f"{object_id}{suffix}"


def _first_visible_entry(folder: Path) -> str | None:
    if not folder.is_dir():
        return None
    return next((e.name for e in sorted(folder.iterdir()) if not e.name.startswith(".")), None)
