"""Files take the place of others, whenever the process that does it is killed."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelkb_store import Store
from modelkb_store.commits.compaction import compact
from modelkb_store.commits.manifest import read_manifest
from modelkb_store.commits.rows import remove_rows, replace_rows
from modelkb_store.commits.transaction import Replacement, commit
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.schemas import SCHEMAS
from modelkb_store.snapshot import Snapshot
from modelkb_store.table_file import rows_of_records
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record
from store_rows import rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

pytestmark = pytest.mark.usefixtures("_no_power_failure")
Change = Callable[[LocalFiles], object]


def ended_run(store: Path, number: int) -> str:
    """Record a short run, and return its id."""
    writer = ExperimentWriter(store, "digits", experiment_record(number, status="finished"))
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, epoch, float(number)) for epoch in range(2)])
    writer._log.close()
    return run


@pytest.fixture
def runs(store: Path) -> list[str]:
    """Six runs: three in merged files, three in files of their own."""
    ids = [ended_run(store, number) for number in range(3)]
    compact(LocalFiles(store))
    return ids + [ended_run(store, number) for number in range(3, 6)]


def rows_of(run: str, *values: float) -> pa.Table:
    return rows_of_records("metrics", [metric_record(run, 0, value) for value in values])


CHANGES: dict[str, Change] = {
    "compact": compact,
    "replace merged rows": lambda files: replace_rows(
        files, "metrics", "digits", _id(1), rows_of(_id(1), 7.0, 8.0, 9.0)
    ),
    "replace loose rows": lambda files: replace_rows(
        files, "metrics", "digits", _id(4), rows_of(_id(4), 7.0)
    ),
    "take rows away": lambda files: remove_rows(
        files, "metrics", "digits", "experiment_id", [_id(0), _id(2), _id(5)]
    ),
    "add rows": lambda files: replace_rows(
        files, "metrics", "digits", _id(9), rows_of(_id(9), 7.0)
    ),
}


def _id(number: int) -> str:
    return experiment_record(number).experiment_id


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.usefixtures("runs")
def test_readers_see_the_one_state_or_the_other_at_every_step(store: Path, change: Change) -> None:
    before = rows_of_readers(LocalFiles(store))
    seen = []
    kept = store.with_name("kept")
    shutil.copytree(store, kept)

    change(WatchedFiles(store, look=lambda: seen.append(rows_of_readers(LocalFiles(store)))))

    after = rows_of_readers(LocalFiles(store))
    assert rows_of_plain_arrow(store) == after
    assert all(look in (before, after) for look in seen)
    assert seen[-1] == after
    for step in range(len(seen)):
        root = store.with_name(f"step-{step}")
        shutil.copytree(kept, root)
        with pytest.raises(Killed):
            change(WatchedFiles(root, killed_after=step))
        found = rows_of_readers(LocalFiles(root))
        assert found in (before, after), step
        _let_time_pass(root)
        Store(root)
        assert rows_of_readers(LocalFiles(root)) == found, step
        assert rows_of_plain_arrow(root) == found, step
        change(LocalFiles(root))
        assert rows_of_readers(LocalFiles(root)) == after, step
        assert rows_of_plain_arrow(root) == after, step
        shutil.rmtree(root)


def _let_time_pass(root: Path) -> None:
    """Let files be so old that nobody is still about to make them count."""
    import os

    for path in root.rglob("*.parquet"):
        os.utime(path, (0, 0))


def test_a_manifest_says_what_its_files_are(store: Path, runs: list[str]) -> None:
    files = LocalFiles(store)
    compact(files)

    manifest = read_manifest(files)
    assert {path.split("/")[0] for path in manifest.files} == {
        "experiments",
        "metrics",
        "metric_summaries",
    }
    for path, known in manifest.files.items():
        content = files.read(path)
        assert (known.size_bytes, known.sha256) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        assert known.row_count == pq.ParquetFile(store / path).metadata.num_rows
        assert (known.first_key, known.last_key) == (runs[0], runs[-1])


def test_nothing_to_do(store: Path, runs: list[str]) -> None:
    files = WatchedFiles(store)
    assert not commit(files, lambda snapshot: None)
    assert not remove_rows(files, "metrics", "digits", "experiment_id", ["unknown"])
    replace_rows(files, "metrics", "digits", "unknown", SCHEMAS["metrics"].empty_table())
    assert files.changes == 0
    assert len(runs) == 6


def test_what_others_do_at_the_same_time_is_looked_at_again(store: Path, runs: list[str]) -> None:
    files = LocalFiles(store)
    plans = []

    def plan(snapshot: Snapshot) -> Replacement | None:
        plans.append(snapshot.manifest.version)
        if len(plans) == 1:
            assert remove_rows(files, "metrics", "digits", "experiment_id", [runs[0]])
        infos = snapshot.table_files("metrics")
        rows = [Tables(files, snapshot).read("metrics", columns=SCHEMAS["metrics"].names)]
        return Replacement("metrics", "project=digits", [info.path for info in infos], rows)

    assert commit(files, plan)
    assert len(plans) == 2
    left = Tables(files).read("metrics")["experiment_id"].to_pylist()
    assert sorted(set(left)) == runs[1:]
    assert len(left) == 10


def test_one_that_is_always_late_gives_up(
    store: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelkb_store.commits.transaction._ATTEMPTS", 3)
    files = LocalFiles(store)
    values = iter(range(100))

    def plan(snapshot: Snapshot) -> Replacement | None:
        rows = rows_of(runs[1], float(next(values)))
        replace_rows(files, "metrics", "digits", runs[1], rows)
        return Replacement("metrics", "project=digits", [], [rows_of("late", 1.0)])

    with pytest.raises(StoreBusyError, match="modelkb check"):
        commit(files, plan)
    assert "late" not in Tables(files).read("metrics")["experiment_id"].to_pylist()
    assert rows_of_plain_arrow(store) == rows_of_readers(files), "nothing is left of it"


def test_many_change_at_once_and_one_reads(store: Path, runs: list[str]) -> None:
    """Two merge and one edits, over and over, while one reads and one records."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def keep(work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                while not stop.is_set():
                    work()
            except BaseException as error:  # noqa: BLE001 - shown by the assertion
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    files = LocalFiles(store)
    edits = iter(range(1, 10_000))
    recorded = iter(range(100, 10_000))
    looks = []

    def edit() -> None:
        number = next(edits)
        rows = rows_of(runs[1], *[float(number)] * (number % 3 + 1))
        replace_rows(files, "metrics", "digits", runs[1], rows)

    def look() -> None:
        rows = Tables(files).read("metrics").to_pylist()
        of_edited = [row["value"] for row in rows if row["experiment_id"] == runs[1]]
        assert len(set(of_edited)) == 1
        if of_edited[0] >= 2:
            assert len(of_edited) == of_edited[0] % 3 + 1
        for run in runs[2:]:
            assert len([row for row in rows if row["experiment_id"] == run]) == 2
        looks.append(1)

    threads = [
        keep(lambda: compact(files)),
        keep(lambda: compact(LocalFiles(store))),
        keep(edit),
        keep(look),
        keep(lambda: ended_run(store, next(recorded))),
    ]
    stop.wait(4)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert looks
    count = next(recorded) - 100
    Store(store)
    compact(files)
    assert rows_of_plain_arrow(store) == rows_of_readers(files)
    assert Tables(files).read("experiments").num_rows == 6 + count
