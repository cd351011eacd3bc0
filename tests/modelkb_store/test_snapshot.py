from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lost_processes import kill
from modelkb_store import snapshot as snapshot_module
from modelkb_store.commits.compaction import compact
from modelkb_store.errors import StoreBusyError
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import tombstone_file
from modelkb_store.log.claim import claimed
from modelkb_store.snapshot import OutdatedSnapshotError, Snapshot, consistently
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import metric_record

pytestmark = pytest.mark.usefixtures("_no_power_failure")
WriterFactory = Callable[..., ExperimentWriter]


@pytest.fixture
def ended(writer_factory: WriterFactory) -> ExperimentWriter:
    """A run that ended."""
    writer = writer_factory(status="finished")
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])
    writer.close()
    return writer


@pytest.fixture
def running(writer_factory: WriterFactory) -> ExperimentWriter:
    """A run that goes on, whose rows are in Parquet files as well."""
    writer = writer_factory()
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])
    writer.home.mirror(writer._log.name)
    return writer


def paths(snapshot: Snapshot, table: str = "metrics") -> list[str]:
    return [Path(info.path).name for info in snapshot.table_files(table)]


def test_files_that_logs_hold_as_well_are_passed_over(
    ended: ExperimentWriter, running: ExperimentWriter
) -> None:
    now = Snapshot(ended.files)
    run = running.experiment.experiment_id

    assert paths(now) == [f"{ended.experiment.experiment_id}-0000.parquet"]
    assert now.is_in_log(f"metrics/project=digits/{run}-0000.parquet")
    assert not now.is_in_log(f"metrics/project=other/{run}-0000.parquet")
    assert not now.is_in_log(f"metrics/project=digits/{run}-0001.parquet")
    assert [log.experiment_id for log in now.logs_of(run)] == [run]
    assert now.alive() == {run}


def test_who_died_is_not_alive(running: ExperimentWriter) -> None:
    kill(running)
    assert Snapshot(running.files).alive() == set()


def test_one_that_has_said_its_end_is_not_alive_while_its_log_is_folded(
    running: ExperimentWriter,
) -> None:
    with claimed(running.files, running._log.name):  # another process is about to fold it
        running.close()

        assert running.files.list("log") != []
        assert Snapshot(running.files).alive() == set()


def test_deleted_experiments(ended: ExperimentWriter) -> None:
    run = ended.experiment.experiment_id
    ended.files.write(tombstone_file(run), b"{}")

    assert Snapshot(ended.files).deleted == {run}
    for table in ("experiments", "metrics", "metric_summaries"):
        assert Tables(ended.files).read(table).num_rows == 0
    ended.files.delete(tombstone_file(run))
    assert Tables(ended.files).read("metrics").num_rows == 1


def test_a_note_in_a_folder_deletes_nothing(ended: ExperimentWriter) -> None:
    run = ended.experiment.experiment_id
    ended.files.write(tombstone_file(f"x/{run}"), b"{}")
    assert Snapshot(ended.files).deleted == set()


def test_one_that_is_outdated_by_a_merge_says_so(ended: ExperimentWriter) -> None:
    now = Snapshot(ended.files)
    compact(ended.files)
    with pytest.raises(OutdatedSnapshotError):
        now.table_files("metrics")


def test_one_that_is_outdated_by_an_end_says_so(running: ExperimentWriter) -> None:
    now = Snapshot(running.files)
    running.close()
    with pytest.raises(OutdatedSnapshotError):
        now.table_files("metrics")


def test_one_that_is_outdated_by_a_beginning_says_so(
    ended: ExperimentWriter, writer_factory: WriterFactory
) -> None:
    now = Snapshot(ended.files)
    writer = writer_factory()
    writer.append_metrics([metric_record(writer.experiment.experiment_id, 0, 0.5)])
    writer.home.mirror(writer._log.name)
    with pytest.raises(OutdatedSnapshotError):
        now.table_files("metrics")


def test_a_listing_is_taken_once(ended: ExperimentWriter) -> None:
    now = Snapshot(ended.files)
    before = paths(now)
    compact(ended.files)
    assert paths(now) == before, "as it was when it was taken; the file is gone by now"


def test_it_is_tried_again_until_it_sees_one_state(ended: ExperimentWriter) -> None:
    tries = []

    def read(now: Snapshot) -> int:
        tries.append(now.manifest.version)
        if len(tries) == 1:
            compact(ended.files)
        infos = now.table_files("metrics")
        return sum(len(now.files.read(info.path)) > 0 for info in infos)

    assert consistently(ended.files, read) == 1
    assert len(tries) == 2


def test_a_file_that_is_missing_for_good(
    ended: ExperimentWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_module, "_ATTEMPTS", 3)
    compact(ended.files)
    (path,) = (ended.files.root / "metrics").rglob("*.parquet")

    def read(now: Snapshot) -> bytes:
        now.table_files("metrics")
        return now.files.read(path.relative_to(ended.files.root).as_posix() + ".gone")

    with pytest.raises(StoreBusyError, match=r"gone is missing.*modelkb check"):
        consistently(ended.files, read)


def test_errors_of_the_action_are_its_own(ended: ExperimentWriter) -> None:
    with pytest.raises(ZeroDivisionError):
        consistently(ended.files, lambda _: 1 // 0)


def test_other_files_are_no_tables(ended: ExperimentWriter) -> None:
    for name in ("notes.txt", "project=digits/notes.txt", "project=digits/.x.parquet"):
        (ended.files.root / "metrics" / name).write_text("mine")
    assert len(paths(Snapshot(LocalFiles(ended.files.root)))) == 1
