from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from modelkb_store import CorruptFileError
from modelkb_store.commits.manifest import (
    CompactedFile,
    Manifest,
    compacted_name,
    is_compacted,
    latest_version,
    publish,
    read_manifest,
    version_of,
)
from modelkb_store.files.local_files import LocalFiles
from watched_files import WatchedFiles

A = "metrics/project=digits/compact-00000001-aa.parquet"
B = "metrics/project=digits/compact-00000002-bb.parquet"
LOOSE = "metrics/project=digits/run-0000.parquet"
KNOWN = CompactedFile(3, 100, "ab" * 32, "a", "z")


@pytest.fixture
def files(store: Path) -> LocalFiles:
    """A folder."""
    return LocalFiles(store)


def test_a_store_where_nothing_was_merged(files: LocalFiles) -> None:
    manifest = read_manifest(files)

    assert manifest == Manifest()
    assert manifest.counts(LOOSE)
    assert not manifest.counts(A), "only a manifest makes a compacted file count"


def test_what_is_published_is_read(files: LocalFiles) -> None:
    first = Manifest().changed({A: KNOWN}, [LOOSE])
    assert publish(files, first)
    assert read_manifest(files) == first
    assert (first.version, latest_version(files)) == (1, 1)
    assert first.counts(A)
    assert not first.counts(LOOSE)

    second = first.changed({B: CompactedFile(1, 5, "")}, [A], forget=[LOOSE])
    assert publish(files, second)
    assert read_manifest(files) == second
    assert second.counts(B)
    assert not second.counts(A)
    assert second.counts(LOOSE), "it is deleted, and could be another one of the same name"
    assert second.replaced == {A}


def test_of_one_number_there_is_one(files: LocalFiles) -> None:
    publish(files, Manifest().changed({A: KNOWN}, []))
    assert not publish(files, Manifest().changed({B: KNOWN}, []))
    assert read_manifest(files).files == {A: KNOWN}


def test_of_many_threads_one_publishes(files: LocalFiles) -> None:
    start, told = threading.Barrier(6), []

    def work(number: int) -> None:
        path = f"metrics/project=x/{compacted_name(1, str(number))}.parquet"
        start.wait()
        if publish(files, Manifest().changed({path: KNOWN}, [])):
            told.append(path)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
    assert list(read_manifest(files).files) == told


def test_few_are_kept(files: LocalFiles) -> None:
    manifest = Manifest()
    for _ in range(12):
        manifest = manifest.changed({}, [])
        publish(files, manifest)
    assert read_manifest(files).version == 12
    assert [info.path for info in files.list("manifest")] == [
        f"manifest/{number:08d}.json" for number in (9, 10, 11, 12)
    ]


def test_the_highest_number_counts_whatever_its_length(files: LocalFiles) -> None:
    for number in (99_999_999, 100_000_000):
        publish(files, Manifest(number))
    assert latest_version(files) == 100_000_000
    files.write("manifest/notes.txt", b"mine")
    files.write("manifest/x.json", b"mine")
    assert latest_version(files) == 100_000_000


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"version": 1, "files": {"a": 5}, "replaced": []}']
)
def test_one_that_is_damaged_is_named(files: LocalFiles, content: bytes) -> None:
    files.write("manifest/00000001.json", content)
    with pytest.raises(CorruptFileError, match=re.escape("manifest/00000001.json")):
        read_manifest(files)


def test_names_of_compacted_files() -> None:
    path = f"metrics/project=x/{compacted_name(12, 'abc')}.parquet"
    assert is_compacted(path)
    assert version_of(path) == 12
    assert not is_compacted(LOOSE)
    assert not is_compacted("metrics/project=compact-1/run.parquet")
    assert version_of("metrics/project=x/compact-x.parquet") == 0


def test_who_is_slow_does_not_take_a_number_that_was_taken(files: LocalFiles) -> None:
    """Old manifests are deleted: their numbers are free, and lead nowhere."""
    slow = Manifest().changed({A: KNOWN}, [LOOSE])
    manifest = Manifest()
    for _ in range(9):
        manifest = manifest.changed({}, [])
        assert publish(files, manifest)
        manifest = read_manifest(files)

    assert not publish(files, slow)
    assert read_manifest(files) == manifest
    assert min(info.path for info in files.list("manifest")) == "manifest/00000006.json"


def test_who_is_overtaken_right_after_it_has_published(store: Path) -> None:
    manifest = Manifest().changed({A: KNOWN}, [LOOSE])

    def overtake() -> None:
        if files.changes == 1:
            for _ in range(7):
                others = LocalFiles(store)
                assert publish(others, read_manifest(others).changed({}, []))

    files = WatchedFiles(store, look=overtake)
    assert publish(files, manifest), "all that follow go back to it"
    assert (read_manifest(files).version, list(read_manifest(files).files)) == (8, [A])
