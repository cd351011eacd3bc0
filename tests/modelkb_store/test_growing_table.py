from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkb_store.growing_table import GrowingTable
from modelkb_store.layout import Layout
from modelkb_store.records import MetricRecord
from small_experiment import metric_record, read_records

ID = "20260102-030405678-0000000001"


@pytest.fixture
def layout(store: Path) -> Layout:
    """An empty store."""
    return Layout.create(store)


@pytest.fixture
def log(layout: Layout) -> GrowingTable:
    """The curves of an experiment that begins."""
    return GrowingTable(layout, "metrics", "digits", ID)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a store of each example."""
    return tmp_path_factory.mktemp("stores")


def parts_of(layout: Layout) -> list[Path]:
    return sorted(layout.root.rglob(f"{ID}-*.parquet"))


def rows_on_disk(layout: Layout) -> list[MetricRecord]:
    parts = parts_of(layout)
    return [row for part in parts for row in read_records(part, "metrics", MetricRecord)]


def rows(first: int, count: int) -> list[MetricRecord]:
    return [
        metric_record(ID, step // 10, step / 7, step=step) for step in range(first, first + count)
    ]


def test_nothing_is_written_before_the_first_flush(layout: Layout, log: GrowingTable) -> None:
    log.append(rows(0, 5))

    assert parts_of(layout) == []


def test_a_flush_without_rows_writes_nothing(layout: Layout, log: GrowingTable) -> None:
    log.flush()

    assert parts_of(layout) == []


def test_a_second_flush_without_new_rows_writes_nothing(layout: Layout, log: GrowingTable) -> None:
    log.append(rows(0, 5))
    log.flush()
    before = parts_of(layout)[0].stat().st_ino

    log.flush()

    assert parts_of(layout)[0].stat().st_ino == before


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_flushed_rows_are_on_disk(stores: Path, turns: list[tuple[int, bool]]) -> None:
    layout = Layout.create(stores / f"{len(list(stores.iterdir()))}")
    log = GrowingTable(layout, "metrics", "digits", ID)
    appended: list[MetricRecord] = []
    flushed: list[MetricRecord] = []

    for count, flush in turns:
        new = rows(len(appended), count)
        log.append(new)
        appended += new
        if flush:
            log.flush()
            flushed = list(appended)
        assert rows_on_disk(layout) == flushed


def test_long_curves_are_in_parts_that_stay(layout: Layout, log: GrowingTable) -> None:
    appended = []
    untouched: dict[Path, int] = {}
    for turn in range(12):
        new = rows(turn * 2000, 2000)
        log.append(new)
        log.flush()
        appended += new
        parts = parts_of(layout)
        finished = {part: part.stat().st_ino for part in parts[:-1]}
        assert untouched.items() <= finished.items()
        untouched = finished

    assert len(parts_of(layout)) > 1
    assert rows_on_disk(layout) == appended


def test_a_part_that_is_full_leaves_nothing_to_flush(layout: Layout, log: GrowingTable) -> None:
    log.append(rows(0, 20_000))
    log.flush()
    log.flush()

    assert len(parts_of(layout)) == 1
    assert rows_on_disk(layout) == rows(0, 20_000)


def test_rows_of_a_failed_flush_are_kept(layout: Layout, log: GrowingTable) -> None:
    log.append(rows(0, 3))
    log.flush()
    folder = parts_of(layout)[0].parent
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()

    log.append(rows(3, 3))
    with pytest.raises(OSError, match="project=digits"):
        log.flush()
    log.append(rows(6, 1))
    with pytest.raises(OSError, match="project=digits"):
        log.flush()
    folder.unlink()
    aside.rename(folder)
    assert rows_on_disk(layout) == rows(0, 3)
    log.flush()

    assert rows_on_disk(layout) == rows(0, 7)
    assert [path.name for path in folder.iterdir()] == [f"{ID}-0000.parquet"]


def test_a_failed_flush_of_a_later_part_is_made_good(layout: Layout, log: GrowingTable) -> None:
    log.append(rows(0, 9000))
    log.flush()
    folder = parts_of(layout)[0].parent
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()

    log.append(rows(9000, 10))
    with pytest.raises(OSError, match="project=digits"):
        log.flush()
    folder.unlink()
    aside.rename(folder)
    log.flush()

    assert rows_on_disk(layout) == rows(0, 9010)


def test_tables_and_experiments_are_kept_apart(layout: Layout, log: GrowingTable) -> None:
    by_batch = GrowingTable(layout, "batch_metrics", "digits", ID)
    other = GrowingTable(layout, "metrics", "digits", ID[:-1] + "2")
    for one, first in ((log, 0), (by_batch, 10), (other, 20)):
        one.append(rows(first, 2))
        one.flush()

    folder = layout.root / "metrics" / "project=digits"
    assert len(list(folder.iterdir())) == 2
    assert read_records(folder / f"{ID}-0000.parquet", "metrics", MetricRecord) == rows(0, 2)
    assert len(list((layout.root / "batch_metrics" / "project=digits").iterdir())) == 1


@pytest.mark.parametrize(
    "wrong", [{"epoch": "two"}, {"epoch": 1 << 40}, {"metric": 5}, {"value": "low"}]
)
def test_wrong_rows_are_refused_once_and_stop_nothing(
    wrong: dict[str, object], layout: Layout, log: GrowingTable
) -> None:
    log.append(rows(0, 2))
    log.flush()
    log.append([dataclasses.replace(metric_record(ID, 0, 1.0), **wrong)])
    with pytest.raises((ValueError, TypeError)):
        log.flush()
    log.flush()
    log.append(rows(2, 2))
    log.flush()
    assert rows_on_disk(layout) == rows(0, 4)


def test_threads_share_a_table(layout: Layout, log: GrowingTable) -> None:
    def add(first: int) -> None:
        for step in range(first, first + 100):
            log.append(rows(step, 1))
            if step % 10 == 0:
                log.flush()

    threads = [threading.Thread(target=add, args=(first,)) for first in range(0, 400, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    assert sorted(rows_on_disk(layout), key=lambda row: row.step) == rows(0, 400)
