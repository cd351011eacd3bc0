"""A log becomes Parquet files, whatever comes in between."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from lost_processes import kill, leave_claims, logs_of
from modelkb_store import SCHEMAS, Store
from modelkb_store.commits.compaction import compact
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.folding import fold, mirror, seal
from modelkb_store.log.log_name import LogName
from modelkb_store.records import EpochRecord, HyperparameterRecord
from modelkb_store.summaries import summarize
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import (
    DATASET,
    ENVIRONMENT,
    LAYER,
    STARTED,
    experiment_record,
    metric_record,
    record_complete_experiment,
)
from store_rows import in_any_order, plain_table, rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

WriterFactory = Callable[..., ExperimentWriter]
pytestmark = pytest.mark.usefixtures("_no_power_failure")


@pytest.fixture
def killed(store: Path) -> LogName:
    """The log of a run with rows in many tables, whose process was killed."""
    writer = ExperimentWriter(store, "digits", experiment_record(1))
    tell_much(writer)
    kill(writer)
    (name,) = logs_of(writer.files, writer.experiment.experiment_id)
    return name


def tell_much(writer: ExperimentWriter) -> None:
    run = writer.experiment.experiment_id
    writer.add_environment(ENVIRONMENT)
    for _ in range(2):  # the same data for training and validation
        writer.add_dataset(DATASET)
    layers = [dataclasses.replace(LAYER, position=position) for position in range(3)]
    writer._add("layers", [*layers, *layers])
    writer.write_hyperparameters([HyperparameterRecord(run, "epochs", "3", 3.0, "fit")])
    for epoch in range(3):
        writer.append_metrics(
            [metric_record(run, epoch, float(epoch)), metric_record(run, epoch, 0.5, metric="acc")]
        )
        writer.append_epoch(EpochRecord(run, epoch, STARTED, 1.0, 0.1, 0.1))
    writer.add_trained_weights("ab" * 16)


def dead_status(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return rows without those of the experiments, to which folding adds how they ended."""
    return {table: found for table, found in rows.items() if table != "experiments"}


def test_a_fold_changes_nothing_for_readers(store: Path, killed: LogName) -> None:
    files = LocalFiles(store)
    before = rows_of_readers(files)

    assert fold(files, killed)

    assert files.list("log") == []
    after = rows_of_readers(files)
    assert dead_status(after) == dead_status(before)
    assert rows_of_plain_arrow(store) == after
    assert len(before["metrics"]) == 6
    assert len(before["datasets"]) == 1
    assert len(before["layers"]) == 3


def test_a_process_that_died_is_told_of(store: Path, killed: LogName) -> None:
    files = LocalFiles(store)
    moment = files.list("log")[0].modified
    assert Tables(files).read("experiments")["status"].to_pylist() == ["interrupted"]

    fold(files, killed)

    (row,) = Tables(files).read("experiments").to_pylist()
    assert row["status"] == "interrupted"
    assert row["epochs_completed"] == 3
    assert abs((row["ended_at"] - moment).total_seconds()) < 1
    assert row["duration_seconds"] == (row["ended_at"] - row["started_at"]).total_seconds()
    (problem,) = row["problems"]
    assert "killed" in problem
    assert plain_table(store, "experiments")["status"].to_pylist() == ["interrupted"]


@pytest.mark.parametrize("status", ["finished", "failed", "interrupted"])
def test_a_run_that_had_ended_keeps_its_end(store: Path, status: str) -> None:
    record = experiment_record(1, status=status, ended_at=STARTED, epochs_completed=7)
    writer = ExperimentWriter(store, "digits", record)
    kill(writer)

    found = Store(store).experiment(record.experiment_id).record

    assert found == record
    assert LocalFiles(store).list("log") == []


def test_a_fold_can_be_done_again_after_any_step(store: Path, killed: LogName) -> None:
    """The process that folds is killed after each of its changes; the next one does the rest."""
    before = rows_of_readers(LocalFiles(store))
    kept = store.with_name("kept")
    shutil.copytree(store, kept)
    fold(LocalFiles(store), killed)
    expected = rows_of_readers(LocalFiles(store))

    step = 0
    while True:
        root = store.with_name(f"step-{step}")
        shutil.copytree(kept, root)
        files = WatchedFiles(root, killed_after=step)
        try:
            fold(files, killed)
            break
        except Killed:
            pass
        leave_claims(LocalFiles(root))
        assert dead_status(rows_of_readers(LocalFiles(root))) == dead_status(before), step
        Store(root)
        assert LocalFiles(root).list("log") == []
        after = rows_of_readers(LocalFiles(root))
        assert after == expected, step
        assert rows_of_plain_arrow(root) == expected, step
        shutil.rmtree(root)
        step += 1
    assert step > 8


def test_readers_see_every_row_once_at_every_step(store: Path, killed: LogName) -> None:
    before = dead_status(rows_of_readers(LocalFiles(store)))
    looks = []

    def look() -> None:
        looks.append(1)
        assert dead_status(rows_of_readers(LocalFiles(store))) == before

    fold(WatchedFiles(store, look=look), killed)
    assert len(looks) > 8


@pytest.fixture
def resumed(store: Path, writer_factory: WriterFactory) -> LogName:
    """The log of a run that went on from epoch 2 and was killed; the earlier rows are merged."""
    first = writer_factory(status="interrupted")
    tell_much(first)
    first.close()
    other = record_complete_experiment(store, number=7)
    compact(first.files)
    record = dataclasses.replace(first.experiment, status="running")
    writer = ExperimentWriter(store, "digits", record, resumes=True)
    run = record.experiment_id
    writer.drop_epochs_from(2)
    writer.write_hyperparameters([HyperparameterRecord(run, "epochs", "9", 9.0, "fit")])
    for epoch in (2, 3):
        writer.append_metrics([metric_record(run, epoch, 10.0 * epoch)])
        writer.append_epoch(EpochRecord(run, epoch, STARTED, 1.0, 0.1, 0.1))
    kill(writer)
    assert other.experiment.experiment_id > run
    (name,) = logs_of(writer.files, run)
    return name


def test_a_run_that_went_on_at_every_step(store: Path, resumed: LogName) -> None:
    run = resumed.log_id[:-11]
    before = dead_status(rows_of_readers(LocalFiles(store)))
    curve = Tables(LocalFiles(store)).of_experiment("metrics", "digits", run).to_pylist()
    losses = [(row["epoch"], row["value"]) for row in curve if row["metric"] == "loss"]
    assert losses == [(0, 0.0), (1, 1.0), (2, 20.0), (3, 30.0)]
    kept = store.with_name("kept")
    shutil.copytree(store, kept)

    for step in range(0, 200, 3):
        root = store.with_name(f"step-{step}")
        shutil.copytree(kept, root)
        try:
            fold(WatchedFiles(root, killed_after=step), resumed)
            break
        except Killed:
            leave_claims(LocalFiles(root))
        assert dead_status(rows_of_readers(LocalFiles(root))) == before, step
        Store(root)
        assert dead_status(rows_of_readers(LocalFiles(root))) == before, step
        assert rows_of_plain_arrow(root) == rows_of_readers(LocalFiles(root)), step
        shutil.rmtree(root)
    assert step > 20
    (row,) = Tables(LocalFiles(root)).of_experiment("experiments", "digits", run).to_pylist()
    assert (row["status"], row["epochs_completed"]) == ("interrupted", 4)


def test_a_mirror_is_for_others_and_does_no_harm(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    tell_much(writer)
    files = writer.files
    before = rows_of_readers(files)
    (name,) = logs_of(files, writer.experiment.experiment_id)

    for _ in range(2):
        mirror(files, name)
        assert rows_of_readers(files) == before
    for table in ("metrics", "epochs", "hyperparameters", "experiments", "environments", "layers"):
        assert in_any_order(plain_table(store, table)) == before[table], table

    writer.write_hyperparameters([])
    writer.drop_epochs_from(0)
    mirror(files, name)
    writer.close()
    for table in ("metrics", "epochs", "hyperparameters", "metric_summaries"):
        assert rows_of_readers(files)[table] == [], "what was mirrored and is void is gone"
    assert rows_of_plain_arrow(store) == rows_of_readers(files)


def test_a_mirror_of_a_log_that_is_gone(store: Path, writer_factory: WriterFactory) -> None:
    writer = writer_factory()
    (name,) = logs_of(writer.files, writer.experiment.experiment_id)
    writer.close()
    before = rows_of_plain_arrow(store)

    mirror(writer.files, name)
    seal(writer.files, name, 0)
    assert fold(writer.files, name)
    assert rows_of_plain_arrow(store) == before


def test_a_fold_that_somebody_else_is_about(store: Path, killed: LogName) -> None:
    from modelkb_store.log.claim import claimed

    files = LocalFiles(store)
    with claimed(files, killed):
        assert not fold(files, killed)
        mirror(files, killed)
        assert [info.path for info in files.list("experiments")] == []
    assert fold(files, killed)


def test_segments_leave_with_their_cut(store: Path, writer_factory: WriterFactory) -> None:
    """A run goes on; the segment that says from which epoch on is full and goes."""
    first = writer_factory(status="interrupted")
    tell_much(first)
    first.close()
    record = dataclasses.replace(first.experiment, status="running")
    writer = ExperimentWriter(store, "digits", record, resumes=True)
    run = record.experiment_id
    writer.drop_epochs_from(1)
    writer.append_metrics([metric_record(run, 1, 10.0)])
    before = rows_of_readers(writer.files)

    writer._log._begin_segment(writer._log._writer)

    assert len(writer.files.list("log")) == 1
    assert rows_of_readers(writer.files) == before
    writer.append_metrics([metric_record(run, 2, 20.0)])
    writer.set(status="finished")
    writer.save_experiment()
    for _ in range(2):
        rows = Tables(writer.files).of_experiment("metrics", "digits", run).to_pylist()
        losses = [(row["epoch"], row["value"]) for row in rows if row["metric"] == "loss"]
        assert losses == [(0, 0.0), (1, 10.0), (2, 20.0)]
        summaries = Tables(writer.files).of_experiment("metric_summaries", "digits", run)
        names = SCHEMAS["metrics"].names
        of_rows = summarize(
            Tables(writer.files).read("metrics", columns=names, where={"experiment_id": [run]})
        )
        assert in_any_order(summaries) == in_any_order(of_rows)
        writer.close()
    assert rows_of_plain_arrow(store) == rows_of_readers(writer.files)


def test_segments_of_a_run_can_be_killed_at_any_step(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    tell_much(writer)
    run = writer.experiment.experiment_id
    log = writer._log
    home = log._home
    log._home = _HomeThatForgets(writer.files)
    log._begin_segment(log._writer)
    log._home = home
    writer.append_metrics([metric_record(run, 3, 3.0)])
    (name,) = logs_of(writer.files, run)
    assert len(writer.files.list("log")) == 2
    kill(writer)
    before = dead_status(rows_of_readers(writer.files))
    kept = store.with_name("kept")
    shutil.copytree(store, kept)

    for step in range(100):
        root = store.with_name(f"step-{step}")
        shutil.copytree(kept, root)
        try:
            seal(WatchedFiles(root, killed_after=step), name, 0)
        except Killed:
            leave_claims(LocalFiles(root))
        assert dead_status(rows_of_readers(LocalFiles(root))) == before, step
        has_more = len(LocalFiles(root).list("log")) > 1
        Store(root)
        assert dead_status(rows_of_readers(LocalFiles(root))) == before, step
        assert rows_of_plain_arrow(root) == rows_of_readers(LocalFiles(root)), step
        shutil.rmtree(root)
        if not has_more:
            return
    raise AssertionError("it never came to an end")


class _HomeThatForgets:
    """Where full segments stay."""

    def __init__(self, files: LocalFiles) -> None:
        self.files = files

    def seal(self, name: LogName, number: int) -> None:
        pass


def test_an_earlier_log_that_was_not_folded_comes_first(
    store: Path, writer_factory: WriterFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a disk that was full at the end: what was said later must count."""
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, epoch, float(epoch)) for epoch in range(3)])
    with monkeypatch.context() as patch:
        patch.setattr(writer.home, "fold", lambda name: _full_disk())
        with pytest.raises(OSError, match="full"):
            writer.close()
    writer.set(status="finished", notes="said later")
    writer.save_experiment()
    writer.drop_epochs_from(1)

    assert len(writer.files.list("log")) == 2
    for _ in range(2):
        (row,) = Tables(writer.files).read("experiments").to_pylist()
        assert (row["status"], row["notes"]) == ("finished", "said later")
        assert Tables(writer.files).read("metrics")["epoch"].to_pylist() == [0]
        (row,) = Tables(writer.files).read("metric_summaries").to_pylist()
        assert (row["count"], row["last"]) == (1, 0.0)
        writer.close()
    assert writer.files.list("log") == []
    assert rows_of_plain_arrow(store) == rows_of_readers(writer.files)


def _full_disk() -> None:
    raise OSError("the disk is full")


def test_a_deleted_run_keeps_all_that_it_may_need_again(store: Path, killed: LogName) -> None:
    from modelkb_store.layout import tombstone_file

    files = LocalFiles(store)
    before = dead_status(rows_of_readers(files))
    files.write(tombstone_file(killed.log_id), b"{}")
    fold(files, killed)
    assert Tables(files).read("experiments").num_rows == 0

    files.delete(tombstone_file(killed.log_id))
    assert dead_status(rows_of_readers(files)) == before


def test_predictions_of_an_unknown_model(store: Path, writer_factory: WriterFactory) -> None:
    from modelkb_store.log.experiment_log import ExperimentLog
    from modelkb_store.records import PredictionRecord

    home = writer_factory().home
    name = LogName.further("project=digits", "predictions")
    log = ExperimentLog(home, name, None)
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    log.add(
        "predictions",
        [PredictionRecord("p", None, None, moment, "predict", "[]", 1, 1, 0.5, None)],
    )
    for _ in range(2):
        assert Tables(home.files).read("predictions")["prediction_id"].to_pylist() == ["p"]
        log.close()
    assert plain_table(store, "predictions").num_rows == 1


def test_a_damaged_first_line_costs_no_rows(store: Path, killed: LogName) -> None:
    files = LocalFiles(store)
    before = dead_status(rows_of_readers(files))
    content = bytearray(files.read(killed.segment(0)))
    content[20] ^= 1
    files.write(killed.segment(0), content)

    assert fold(files, killed)
    assert dead_status(rows_of_readers(files)) == before
    assert rows_of_plain_arrow(store) == rows_of_readers(files)
