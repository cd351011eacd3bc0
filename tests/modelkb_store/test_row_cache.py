from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from modelkb_store.commits.compaction import compact
from modelkb_store.commits.rows import remove_rows
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.row_cache import ENTRY_BYTES, RowCache
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import record_complete_experiment

ROWS = pa.table({"value": list(range(1000))})
BYTES = ROWS.nbytes + ENTRY_BYTES


def reader(reads: list[str], name: str = "x", rows: pa.Table = ROWS) -> Callable[[], pa.Table]:
    def read() -> pa.Table:
        reads.append(name)
        return rows

    return read


def test_what_was_read_is_kept() -> None:
    cache, reads = RowCache(), []
    for _ in range(3):
        assert cache.get(("a",), ["value"], None, reader(reads)) is ROWS
        assert cache.get(("a",), ["value"], {"id": ["x", "y"]}, reader(reads, "some")) is ROWS
    assert reads == ["x", "some"]
    cache.get(("a",), ["value"], {"id": ["y", "x"]}, reader(reads, "same rows"))
    cache.get(("a",), ["value"], {}, reader(reads, "same rows"))
    assert reads == ["x", "some"]


@pytest.mark.parametrize(
    ("path", "columns", "where"),
    [
        ("b", ["value"], None),
        ("a", ["other"], None),
        ("a", ["value", "other"], None),
        ("a", ["value"], {"id": ["x"]}),
        ("a", ["value"], {"id": []}),
        ("a", ["value"], {"id": ["some, ids"]}),
        ("a", ["value"], {"id": ["some", "ids"], "other": []}),
    ],
)
def test_something_else_is_read(
    path: str, columns: list[str], where: dict[str, list[str]] | None
) -> None:
    cache, reads = RowCache(), []
    cache.get(("a",), ["value"], None, reader(reads))
    cache.get(("a",), ["value"], {"id": ["some", "ids"]}, reader([]))
    cache.get((path,), columns, where, reader(reads, "other"))
    assert reads == ["x", "other"]


def test_what_was_not_used_longest_goes() -> None:
    cache, reads = RowCache(most_bytes=2 * BYTES), []
    for name in ("a", "b", "a", "c", "a", "b"):
        cache.get((name,), ["value"], None, reader(reads, name))
    assert reads == ["a", "b", "c", "b"]


def test_what_is_larger_than_all_is_not_kept() -> None:
    cache, reads = RowCache(most_bytes=10), []
    for _ in range(2):
        assert cache.get(("a",), ["value"], None, reader(reads)) is ROWS
    assert len(reads) == 2


def test_what_has_no_rows_takes_room_as_well() -> None:
    cache = RowCache(most_bytes=10 * ENTRY_BYTES)
    for number in range(100):
        cache.get((str(number),), ["value"], {"id": [str(number)]}, lambda: ROWS.slice(0, 0))
    assert len(cache._rows) == 10


def test_what_cannot_be_read_is_asked_for_again() -> None:
    cache, reads = RowCache(), []
    with pytest.raises(ZeroDivisionError):
        cache.get(("a",), ["value"], None, lambda: 1 // 0)
    assert cache.get(("a",), ["value"], None, reader(reads)) is ROWS


def test_threads_may_share_it() -> None:
    cache, failures = RowCache(most_bytes=3 * BYTES), []

    def work() -> None:
        for number in range(200):
            if cache.get((number % 7,), ["value"], None, lambda: ROWS) is not ROWS:
                failures.append(number)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cache._bytes == len(cache._rows) * BYTES <= 3 * BYTES


@pytest.mark.usefixtures("_no_power_failure")
def test_readers_see_what_has_changed(store: Path) -> None:
    for number in (1, 2):
        last: ExperimentWriter = record_complete_experiment(store, number=number)
    files = LocalFiles(store)
    compact(files)
    tables = Tables(files)
    for _ in range(2):
        assert tables.read("metrics").num_rows == 18
    remove_rows(files, "metrics", "digits", "experiment_id", [last.experiment.experiment_id])
    for _ in range(2):
        assert tables.read("metrics").num_rows == 9


def test_long_lists_of_ids_take_no_more_than_the_size() -> None:
    cache, megabyte = RowCache(most_bytes=1 << 20), 1 << 20
    reads: list[str] = []
    ids = [f"20261123-{number:06}-{number:010x}" for number in range(10_000)]
    tracemalloc.start()
    for first in range(20):
        for path in "abcde":
            where = {"experiment_id": ids[first:]}
            cache.get((path,), ["value"], where, reader(reads, path, ROWS.slice(0, 0)))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 3 * megabyte
    # Few ids are what is asked for again and again.
    reads.clear()
    for _ in range(3):
        cache.get(("a",), ["value"], {"experiment_id": ids[:30]}, reader(reads))
    assert reads == ["x"]


def test_ids_of_any_length_are_counted() -> None:
    cache = RowCache(most_bytes=1 << 20)
    for number in range(40):
        where = {"id": [f"{number}" + "x" * 100_000]}
        cache.get(("a",), ["value"], where, lambda: ROWS.slice(0, 0))
    assert sum(len(repr(key)) for key in cache._rows) <= 1 << 20
