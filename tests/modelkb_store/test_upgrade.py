"""A store of version 1 becomes one of this version, at whatever instant it is broken off."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest

from modelkb_store import Store
from modelkb_store.commits.compaction import compact
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import check_store, create_store
from modelkb_store.schemas import SCHEMAS
from modelkb_store.summaries import summarize
from modelkb_store.tables import Tables
from modelkb_store.trained_weights import find_trained
from modelkb_store.upgrade import upgrade, upgrade_if_possible
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record
from store_rows import in_any_order, plain_table, rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

V1 = Path(__file__).parents[1] / "data" / "store_v1"
WEIGHTS = "ab" * 16


@pytest.fixture
def v1(tmp_path: Path) -> LocalFiles:
    """A store of version 1, with a note on trained weights and one that is damaged."""
    root = tmp_path / "v1"
    shutil.copytree(V1, root)
    note = {"project": "iris", "experiment_id": "20260102-030405678-00000000ab"}
    files = LocalFiles(root)
    files.write(f"objects/trained/ab/{WEIGHTS}.json", json.dumps(note).encode())
    files.write(f"objects/trained/cd/{'cd' * 16}.json", b"{")
    return files


def summaries(files: LocalFiles) -> list[str]:
    return in_any_order(Tables(files).read("metric_summaries", columns=SUMMARY_COLUMNS))


SUMMARY_COLUMNS = SCHEMAS["metric_summaries"].names


def expected_summaries(files: LocalFiles) -> list[str]:
    names = SCHEMAS["metrics"].names
    return in_any_order(summarize(Tables(files).read("metrics", columns=names)))


def test_it_says_so_and_has_summaries(v1: LocalFiles) -> None:
    assert check_store(v1) == 1
    before = rows_of_readers(v1)
    upgrade(v1)

    assert check_store(v1) == 2
    assert summaries(v1) == expected_summaries(v1) != []
    after = rows_of_readers(v1)
    assert {**after, "trained_weights": []} == before, "but for what nobody could read in rows"
    assert rows_of_plain_arrow(v1.root) == after
    assert find_trained(v1, WEIGHTS) == ("iris", "20260102-030405678-00000000ab")
    assert find_trained(v1, "cd" * 16) is None


def test_it_can_be_broken_off_anywhere(v1: LocalFiles, tmp_path: Path) -> None:
    for step in range(20):
        root = tmp_path / f"step-{step}"
        shutil.copytree(v1.root, root)
        files = WatchedFiles(root, killed_after=step)
        try:
            upgrade(files)
        except Killed:
            assert check_store(LocalFiles(root)) == 1
        else:
            assert step > 2
            return
        Store(root)
        assert check_store(LocalFiles(root)) == 2
        assert summaries(LocalFiles(root)) == expected_summaries(v1)
    raise AssertionError("it never came to an end")


def test_several_may_do_so_at_once(v1: LocalFiles) -> None:
    start, failures = threading.Barrier(5), []

    def work() -> None:
        start.wait()
        try:
            create_store(v1)
            assert check_store(v1) == 2
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert summaries(v1) == expected_summaries(v1)
    assert plain_table(v1.root, "metric_summaries").num_rows == len(summaries(v1))


def test_it_goes_on_as_any_other(v1: LocalFiles) -> None:
    writer = ExperimentWriter(v1.root, "iris", experiment_record(1, status="finished"))
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])
    writer.close()
    compact(v1)
    late = ExperimentWriter(
        v1.root, "iris", Store(v1.root).experiment("00000000ab").record, resumes=True
    )
    run = late.experiment.experiment_id
    late.append_metrics([metric_record(run, 2, 0.5, split="test")])
    late.close()

    assert summaries(v1) == expected_summaries(v1)
    assert rows_of_plain_arrow(v1.root) == rows_of_readers(v1)
    assert len(Store(v1.root).experiments()) == 3


def test_one_that_cannot_be_written_is_read_as_it_is(v1: LocalFiles) -> None:
    class ReadOnly(LocalFiles):
        def write(self, path: str, content: bytes | memoryview) -> None:
            raise PermissionError(13, "read-only")

        def create(self, path: str, content: bytes) -> bool:
            raise PermissionError(13, "read-only")

    upgrade_if_possible(ReadOnly(v1.root))
    assert check_store(v1) == 1
    assert summaries(v1) == expected_summaries(v1)
    of_iris = Tables(v1).read("metric_summaries", "iris")
    assert of_iris.num_rows == len(expected_summaries(v1))
    assert Tables(v1).read("metric_summaries", "Wind & Gezeiten").num_rows == 0
    where = {"experiment_id": ["20260102-030405678-00000000ab"], "metric": ["loss"]}
    assert Tables(v1).read("metric_summaries", where=where)["count"].to_pylist() == [3, 3]


def test_a_damaged_curve_keeps_it_as_it_is(v1: LocalFiles) -> None:
    (path,) = (v1.root / "metrics").rglob("*.parquet")
    content = path.read_bytes()
    path.write_bytes(content[:100])
    assert len(Store(v1.root).experiment("00000000ab").hyperparameters()) == 5
    assert check_store(v1) == 1

    path.write_bytes(content)
    Store(v1.root)
    assert check_store(v1) == 2
