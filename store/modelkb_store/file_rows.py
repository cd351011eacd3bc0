"""Rows of Parquet files, kept for the next who asks as long as the files stay as they are."""

from __future__ import annotations

import enum
import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from modelkb_store.commits.manifest import is_compacted
from modelkb_store.errors import CorruptFileError, ModelKBError
from modelkb_store.files.files import FileInfo, Files
from modelkb_store.keys import SHARED_KEYS
from modelkb_store.row_cache import RowCache
from modelkb_store.schemas import PARTITIONING, SCHEMAS
from modelkb_store.table_file import Where, decode_rows, matching

OnDamaged = Callable[[CorruptFileError], None]

PROJECT = PARTITIONING.field("project")
_SMALL_FILE_BYTES = 256 << 10
_TOGETHER_BYTES = 4 * _SMALL_FILE_BYTES


class FileRows:
    """Reads rows of Parquet files.

    Of small files all rows are kept, since who asks for those of one experiment soon asks for
    others; and those that are not compacted yet are kept together, since each of a hundred files
    takes its time.

    Args:
        on_damaged: Told of each damaged file, whose rows are then left out; by default the
            error is raised.
    """

    def __init__(self, on_damaged: OnDamaged | None = None) -> None:
        self._cache = RowCache()
        self._on_damaged = on_damaged

    def read(
        self,
        files: Files,
        infos: Iterable[FileInfo],
        table: str,
        columns: Sequence[str],
        where: Where | None,
    ) -> Iterator[tuple[str, pa.Table]]:
        """Yield the folder of some files and their rows, with the project first, in their order.

        Args:
            files: The store.
            infos: The files of the table, those of one project one after the other.
            table: The table.
            columns: These columns.
            where: Only rows with these values, by column.

        Raises:
            FileNotFoundError: One is not there any more.
            CorruptFileError: One is damaged, and nobody is told of it.
        """
        names = list(dict.fromkeys([*columns, *(where or ())]))
        for (folder, kind), found in itertools.groupby(infos, lambda each: _kind(each, table)):
            if kind is _Kind.LARGE:
                for info in found:
                    rows = self._one_if_whole(files, info, table, columns, where)
                    yield folder, of_project(rows, folder)
                continue
            for batch in _batches(found, _TOGETHER_BYTES if kind is _Kind.LOOSE else 0):
                rows = self._together(files, folder, batch, table, names)
                yield folder, matching(rows, where).select([PROJECT.name, *columns])

    def _together(
        self, files: Files, folder: str, infos: tuple[FileInfo, ...], table: str, names: list[str]
    ) -> pa.Table:
        def joined(read: Callable[[FileInfo], pa.Table]) -> pa.Table:
            seen: set[str] = set()
            parts = [not_seen(read(info), table, seen) for info in infos]
            return of_project(pa.concat_tables(parts), folder).combine_chunks()

        def one(info: FileInfo) -> pa.Table:
            return self._one(files, info, table, names, None)

        try:
            return self._cache.get((folder, *infos), names, None, lambda: joined(one))
        except CorruptFileError:
            if self._on_damaged is None:
                raise
            return joined(lambda info: self._one_if_whole(files, info, table, names, None))

    def _one_if_whole(
        self, files: Files, info: FileInfo, table: str, columns: Sequence[str], where: Where | None
    ) -> pa.Table:
        try:
            return self._one(files, info, table, columns, where)
        except CorruptFileError as error:
            if self._on_damaged is None:
                raise
            self._on_damaged(error)
            return SCHEMAS[table].empty_table().select(list(columns))

    def _one(
        self, files: Files, info: FileInfo, table: str, columns: Sequence[str], where: Where | None
    ) -> pa.Table:
        def read() -> pa.Table:
            return read_rows(files, info.path, table, columns, where)

        # By its size and time as well: others than compacted files may be written anew.
        return self._cache.get((info,), columns, where, read)


class _Kind(enum.Enum):
    """How a file is read: alone what is wanted of it, alone and whole, or whole with others."""

    LARGE = enum.auto()
    SMALL = enum.auto()
    LOOSE = enum.auto()


def _kind(info: FileInfo, table: str) -> tuple[str, _Kind]:
    """Return the folder of a file, and how it is read."""
    if info.size_bytes > _SMALL_FILE_BYTES:
        return info.folder, _Kind.LARGE
    # Which compacted files may have what is asked for is known, so that it is others each time.
    # Of trained weights, equal ids are not equal rows: which is the first depends on who asks.
    is_alone = is_compacted(info.path) or (
        table in SHARED_KEYS and "experiment_id" in SCHEMAS[table].names
    )
    return info.folder, _Kind.SMALL if is_alone else _Kind.LOOSE


def _batches(infos: Iterable[FileInfo], most_bytes: int) -> Iterator[tuple[FileInfo, ...]]:
    """Yield files together as long as they are no larger than that, and at least one."""
    batch: list[FileInfo] = []
    size = 0
    for info in infos:
        if batch and size + info.size_bytes > most_bytes:
            yield tuple(batch)
            batch, size = [], 0
        batch.append(info)
        size += info.size_bytes
    yield tuple(batch)


def read_rows(
    files: Files,
    path: str,
    table: str,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
) -> pa.Table:
    """Read one Parquet file.

    Raises:
        FileNotFoundError: It is not there.
        CorruptFileError: It is not a Parquet file of this table.
    """
    try:
        with files.open(path) as file:
            return decode_rows(file, table, columns, where)
    except (FileNotFoundError, ModelKBError):
        raise
    # Columns that are not those of the table end in a ValueError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorruptFileError(f"{files.uri}/{path}", error) from error


@functools.lru_cache(maxsize=4096)  # readers ask for the same ones again and again
def project_of(path: str) -> str:
    """Return the project of a Parquet file or log, by the folder that it lies in."""
    return project_of_folder(PurePosixPath(path).parent.name)


def project_of_folder(folder: str) -> str:
    """Return the project whose files lie in folders of a name."""
    return unquote(folder.removeprefix("project="))


def of_project(rows: pa.Table, folder: str) -> pa.Table:
    """Return rows with the project of their folder as the first column."""
    project = pa.repeat(pa.scalar(project_of_folder(folder), pa.string()), rows.num_rows)
    return rows.add_column(0, PROJECT, project)


def not_seen(rows: pa.Table, table: str, seen: set[str]) -> pa.Table:
    """Return rows of a shared table less those that another file of the project had already.

    Args:
        rows: The rows of one file, with the column that the table is found by.
        table: The table.
        seen: What the files before had; what this one has is added.
    """
    key = SHARED_KEYS.get(table)
    if not rows.num_rows or (key is None and table != "projects"):
        return rows
    if key is None:  # a project has one row, which its first runs all tell
        has_one = bool(seen)
        seen.add(table)
        return rows.slice(0, 0 if has_one else 1)
    ids = set(pc.unique(rows[key]).to_pylist())
    fresh = without(rows, key, ids & seen)
    seen |= ids
    return fresh


def without(rows: pa.Table, column: str, values: Collection[str | None]) -> pa.Table:
    """Return the rows that have none of some values in a column."""
    known = [value for value in values if value is not None]
    if not known or not rows.num_rows:
        return rows
    hit = pc.is_in(rows[column], value_set=pa.array(known, rows.schema.field(column).type))
    return rows.filter(pc.invert(hit)) if pc.any(hit).as_py() else rows
