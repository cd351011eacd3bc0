"""Finding the source of modules that a user wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from modelkb_callbacks.slicing.frame_location import is_user_file
from modelkb_callbacks.source_code import SourceCode, read_source
from modelkb_store.errors import SourceNotFoundError


class ModuleFinder:
    """Reads modules of the user's by name; those of libraries are not found.

    Args:
        folders: Where modules are looked for that are not loaded, such as the script's folder.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = list(dict.fromkeys(folders))
        self._read: dict[Path, SourceCode] = {}
        self._found: dict[tuple[str, int, Path | None], SourceCode | None] = {}

    def find(self, name: str, level: int, importer: Path | None) -> SourceCode | None:
        """Return a module's source.

        Args:
            name: Its dotted name.
            level: The number of dots before it in a relative import.
            importer: The file that imports it.
        """
        asked = (name, level, importer)
        if asked not in self._found:  # one program asks for its imports again and again
            self._found[asked] = self._source(name, level, importer)
        return self._found[asked]

    def _source(self, name: str, level: int, importer: Path | None) -> SourceCode | None:
        path = self._path(name, level, importer)
        if path is None or not is_user_file(str(path), name):
            return None
        if path not in self._read:
            try:
                self._read[path] = read_source(path)
            except SourceNotFoundError:
                return None
        return self._read[path]

    def _path(self, name: str, level: int, importer: Path | None) -> Path | None:
        if level:
            if importer is None:
                return None
            folder = importer.parent
            for _ in range(level - 1):
                folder = folder.parent
            return _in_folder(folder, name)
        loaded = sys.modules.get(name)
        if loaded is not None:
            file = getattr(loaded, "__file__", None)
            return Path(file) if file and file.endswith(".py") else None
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        found = (_in_folder(folder, name) for folder in self._folders)
        return next((path for path in found if path is not None), None)


def _in_folder(folder: Path, name: str) -> Path | None:
    base = folder.joinpath(*name.split(".")) if name else folder
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        try:
            if path.is_file():
                return path
        except (OSError, ValueError):
            return None
    return None
