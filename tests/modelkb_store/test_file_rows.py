from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelkb_store import file_rows
from modelkb_store.errors import CorruptFileError
from modelkb_store.file_rows import FileRows, project_of
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.schemas import SCHEMAS

COLUMNS = ["experiment_id", "metric", "value"]


class CountedFiles(LocalFiles):
    """A store that knows which files were opened."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.opened: Counter[str] = Counter()

    def open(self, path: str) -> BinaryIO:
        self.opened[path] += 1
        return super().open(path)


@pytest.fixture
def files(tmp_path: Path) -> CountedFiles:
    return CountedFiles(tmp_path)


def write(files: LocalFiles, path: str, run: str, *values: float) -> None:
    rows = [{"experiment_id": run, "metric": "loss", "value": value} for value in values]
    table = pa.Table.from_pylist(rows, SCHEMAS["metrics"])
    target = files.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target)


def read(
    reader: FileRows, files: LocalFiles, run: str | None = None, table: str = "metrics"
) -> list[tuple[str, str, float]]:
    """Return project, run and value of all rows, in their order."""
    where = None if run is None else {"experiment_id": [run]}
    parts = [rows for _, rows in reader.read(files, files.list(table), table, COLUMNS, where)]
    assert all(part.column_names == ["project", *COLUMNS] for part in parts)
    return [
        (row["project"], row["experiment_id"], row["value"])
        for part in parts
        for row in part.to_pylist()
    ]


@pytest.fixture
def two_projects(files: CountedFiles) -> CountedFiles:
    write(files, "metrics/project=cats%20%26%20dogs/a.parquet", "run1", 1.0, 2.0)
    write(files, "metrics/project=digits/a.parquet", "run2", 3.0)
    write(files, "metrics/project=digits/b.parquet", "run3", 4.0, 5.0)
    return files


ALL = [
    *(("cats & dogs", "run1", value) for value in (1.0, 2.0)),
    ("digits", "run2", 3.0),
    *(("digits", "run3", value) for value in (4.0, 5.0)),
]


@pytest.mark.parametrize("smallest_large", [0, 1 << 30])
def test_rows_come_with_their_project_in_the_order_of_their_files(
    two_projects: CountedFiles, smallest_large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_rows, "_SMALL_FILE_BYTES", smallest_large)
    reader = FileRows()
    assert read(reader, two_projects) == ALL
    assert read(reader, two_projects, "run3") == ALL[3:]
    assert read(reader, two_projects, "run4") == []


def test_small_files_are_read_once_whoever_asks(two_projects: CountedFiles) -> None:
    reader = FileRows()
    for run in ("run1", "run2", None, "run3"):
        read(reader, two_projects, run)
    assert list(two_projects.opened.values()) == [1, 1, 1]
    # Only what is new is read.
    write(two_projects, "metrics/project=digits/c.parquet", "run4", 6.0)
    assert read(reader, two_projects) == [*ALL, ("digits", "run4", 6.0)]
    assert list(two_projects.opened.values()) == [1, 1, 1, 1]


def test_a_file_that_is_written_anew_is_read_anew(two_projects: CountedFiles) -> None:
    reader = FileRows()
    read(reader, two_projects)
    write(two_projects, "metrics/project=digits/b.parquet", "run3", 6.0, 7.0, 8.0)
    assert [row[2] for row in read(reader, two_projects, "run3")] == [6.0, 7.0, 8.0]


def test_files_of_a_project_may_be_too_many_for_one_piece(
    files: CountedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        write(files, f"metrics/project=digits/{number}.parquet", f"run{number}", float(number))
    size = files.list("metrics")[0].size_bytes
    monkeypatch.setattr(file_rows, "_TOGETHER_BYTES", int(2.5 * size))
    parts = list(FileRows().read(files, files.list("metrics"), "metrics", COLUMNS, None))
    assert [part.num_rows for _, part in parts] == [2, 2, 2, 2, 1]
    assert [row[2] for row in read(FileRows(), files)] == [*range(9)]


def test_a_damaged_file_is_told_each_time_and_the_others_are_read(
    two_projects: CountedFiles,
) -> None:
    damaged = two_projects.root / "metrics/project=digits/a.parquet"
    damaged.write_bytes(b"PAR1")
    with pytest.raises(CorruptFileError, match="a\\.parquet"):
        read(FileRows(), two_projects)
    told: list[CorruptFileError] = []
    reader = FileRows(told.append)
    for times in (1, 2):
        assert read(reader, two_projects) == [*ALL[:2], *ALL[3:]]
        assert [error.path for error in told] == [damaged] * times


def test_what_many_runs_share_comes_once(files: CountedFiles) -> None:
    names = ["environment_id", "cpu"]
    schema = pa.schema(
        [SCHEMAS["environments"].field(name) for name in SCHEMAS["environments"].names]
    )
    for file, ids in (("a", ["x", "y"]), ("b", ["y", "z"]), ("c", ["x"])):
        rows = [{"environment_id": each, "cpu": file} for each in ids]
        path = files.root / f"environments/project=digits/{file}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema), path)
    found = FileRows().read(files, files.list("environments"), "environments", names, None)
    assert [tuple(row.values()) for _, part in found for row in part.to_pylist()] == [
        ("digits", "x", "a"),
        ("digits", "y", "a"),
        ("digits", "z", "b"),
    ]


def test_equal_weights_of_two_runs_are_found_by_both(files: CountedFiles) -> None:
    schema = SCHEMAS["trained_weights"]
    for run in ("run1", "run2"):
        path = files.root / f"trained_weights/project=digits/{run}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        row = {"weights_id": "w", "experiment_id": run}
        pq.write_table(pa.Table.from_pylist([row], schema), path)
    reader, infos = FileRows(), files.list("trained_weights")
    for run in ("run2", "run1"):
        where = {"experiment_id": [run]}
        found = reader.read(files, infos, "trained_weights", ["weights_id"], where)
        assert sum(part.num_rows for _, part in found) == 1


def test_compacted_files_are_kept_one_by_one(files: CountedFiles) -> None:
    """Which of them are read depends on the question: others need not be read again for it."""
    for name in ("compact-00000001-a", "compact-00000002-b", "z"):
        write(files, f"metrics/project=digits/{name}.parquet", name, 1.0)
    reader, infos = FileRows(), files.list("metrics")
    for some in (infos, infos[1:], infos[::2], infos[2:]):
        list(reader.read(files, some, "metrics", COLUMNS, None))
    assert list(files.opened.values()) == [1, 1, 1]


def test_the_project_of_a_path() -> None:
    assert project_of("metrics/project=cats%20%26%20dogs/a.parquet") == "cats & dogs"
