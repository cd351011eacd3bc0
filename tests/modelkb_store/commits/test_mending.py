from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelkb_store.commits.compaction import compact
from modelkb_store.commits.manifest import Manifest, read_manifest
from modelkb_store.commits.mending import mend
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.file_rows import read_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.snapshot import Snapshot
from modelkb_store.tables import Tables
from small_experiment import record_complete_experiment
from store_rows import rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

pytestmark = pytest.mark.usefixtures("_no_power_failure")


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """A store with two runs."""
    for number in (1, 2):
        record_complete_experiment(store, number=number)
    return LocalFiles(store)


def merge(snapshot: Snapshot) -> Replacement:
    infos = snapshot.table_files("metrics")
    rows = [read_rows(snapshot.files, info.path, "metrics") for info in infos]
    return Replacement("metrics", "project=digits", [info.path for info in infos], rows)


def kill_a_merge(store: Path, after: int) -> None:
    with pytest.raises(Killed):
        commit(WatchedFiles(store, killed_after=after), merge)


def test_nothing_to_mend(files: LocalFiles) -> None:
    assert mend(files) == []
    compact(files)
    assert mend(files) == []
    assert read_manifest(files).version > 0


def test_what_does_not_count_yet_may_be_about_to(store: Path, files: LocalFiles) -> None:
    kill_a_merge(store, 2)
    before = rows_of_readers(files)

    assert mend(files) == []
    assert read_manifest(files) == Manifest()
    assert rows_of_readers(files) == before


def test_who_sleeps_too_long_is_kept_from_it(store: Path, files: LocalFiles) -> None:
    """The number that would make the files count is taken before they are deleted."""
    before = rows_of_readers(files)
    attempts = []

    def plan(snapshot: Snapshot) -> Replacement:
        attempts.append(snapshot.manifest.version)
        return merge(snapshot)

    def fall_asleep() -> None:
        made = list(store.rglob("compact-*.parquet"))
        if len(made) == 2 and len(attempts) == 1:
            for path in made:
                os.utime(path, (0, 0))
            assert len(mend(LocalFiles(store))) == 2

    assert commit(WatchedFiles(store, look=fall_asleep), plan)
    assert attempts == [0, 1]
    assert rows_of_readers(files) == before == rows_of_plain_arrow(store)


def test_what_came_to_count_loses_what_it_replaced(store: Path, files: LocalFiles) -> None:
    before = rows_of_readers(files)
    kill_a_merge(store, 3)  # two files and the manifest
    assert len(rows_of_plain_arrow(store)["metrics"]) == 2 * len(before["metrics"])

    assert len(mend(files)) == 2
    assert rows_of_readers(files) == before == rows_of_plain_arrow(store)


def test_other_files_are_left_alone(store: Path, files: LocalFiles) -> None:
    names = ["metrics/project=digits/notes.txt", "metrics/compact-x.txt", "metrics/.hidden.parquet"]
    for name in names:
        (store / name).write_text("mine")
    assert mend(files) == []
    assert all((store / name).exists() for name in names)


def test_a_merge_that_was_overtaken_is_cleared_away(store: Path, files: LocalFiles) -> None:
    kill_a_merge(store, 1)
    (left,) = store.rglob("compact-*.parquet")
    compact(files)  # takes the number that it was for
    assert [Path(path).name for path in mend(files)] == [left.name]
    assert Tables(files).read("metrics").num_rows == 18
