"""Where repairs put what is broken: nothing is deleted that somebody might want to look at."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pyarrow as pa

from modelkb_store.files.content_hash import sha256_of
from modelkb_store.files.files import Files
from modelkb_store.project_names import project_folder
from modelkb_store.table_file import encode_rows

FOLDER = "set-aside"


class SetAside:
    """The folder ``set-aside/<date>``, in which files lie as they did in the store.

    Args:
        files: The store.
        day: The date.
    """

    def __init__(self, files: Files, day: date) -> None:
        self.files = files
        self.folder = f"{FOLDER}/{day.isoformat()}"

    def copy(self, path: str) -> str:
        """Copy a file, and return where to; its original stays.

        Raises:
            FileNotFoundError: It is not there.
        """
        root = self.files.local_path("")
        with tempfile.TemporaryDirectory(prefix=".repair-", dir=root) as folder:
            local = Path(folder) / "copy"
            with self.files.open(path) as source, local.open("wb") as target:
                shutil.copyfileobj(source, target)
            with local.open("rb") as copied:
                place = self._free_place(path, sha256_of(copied))
            if not self.files.exists(place):
                self.files.write_file(place, local)
        return place

    def move(self, path: str) -> str:
        """Move a file, and return where to."""
        place = self.copy(path)
        self.files.delete(path)
        return place

    def keep_rows(self, table: str, project: str, rows: pa.Table) -> str:
        """Keep rows that leave a table, and return the path of their file."""
        name = f"rows-{secrets.token_hex(5)}.parquet"
        place = f"{self.folder}/{table}/{project_folder(project)}/{name}"
        self.files.write(place, memoryview(encode_rows(table, rows)))
        return place

    def _free_place(self, path: str, sha256: str) -> str:
        """Return a path that is free, or has this very content already."""
        place, number = f"{self.folder}/{path}", 1
        while self.files.exists(place) and self._sha256(place) != sha256:
            number += 1
            place = f"{self.folder}/{path}.{number}"
        return place

    def _sha256(self, path: str) -> str:
        with self.files.open(path) as file:
            return sha256_of(file)
