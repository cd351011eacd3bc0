from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lost_processes import kill, leave_log, logs_of
from modelkb_store import Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.layout import create_store
from modelkb_store.log import experiment_log
from modelkb_store.log.entry import Action
from modelkb_store.log.experiment_log import ExperimentLog
from modelkb_store.log.log_contents import read_logs
from modelkb_store.log.log_home import StoreHome
from modelkb_store.log.log_name import LogName
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record
from store_rows import plain_table, rows_of_plain_arrow, rows_of_readers

WriterFactory = Callable[..., ExperimentWriter]
ID = "20260102-030405678-00000000ab"
NAME = LogName("project=digits", ID)
PATIENCE_SECONDS = 20.0


@pytest.fixture
def home(store: Path) -> StoreHome:
    """A store where nothing is recorded."""
    files = LocalFiles(store)
    create_store(files)
    return StoreHome(files)


@pytest.fixture
def log(home: StoreHome) -> Iterator[ExperimentLog]:
    """The log of a run that has just begun."""
    log = ExperimentLog(home, NAME, ID)
    log.put("experiments", [experiment_record(experiment_id=ID)])
    yield log
    log.close()


def add_epoch(log: ExperimentLog, epoch: int) -> bool:
    return log.add("metrics", [metric_record(ID, epoch, float(epoch))])


def epochs(store: Path) -> list[int]:
    return Tables(LocalFiles(store)).read("metrics")["epoch"].to_pylist()


def wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_added_can_be_read_at_once(store: Path, log: ExperimentLog) -> None:
    for epoch in range(3):
        assert add_epoch(log, epoch)
        assert epochs(store) == list(range(epoch + 1))
    assert log.add("metrics", [])


def test_it_becomes_parquet_files(store: Path, log: ExperimentLog) -> None:
    add_epoch(log, 0)
    log.close()
    log.close()

    assert not log.is_open
    assert not add_epoch(log, 1), "nothing can be added"
    assert LocalFiles(store).list("log") == []
    assert plain_table(store, "metrics")["epoch"].to_pylist() == [0]


def test_the_disk_is_waited_for_one_epoch_later(
    log: ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = threading.Semaphore(0)
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.acquire(timeout=20), real(file)))
    synced.release(100)
    wait_until(lambda: log._writer.is_synced)
    while synced.acquire(blocking=False):
        pass

    log.wait_for_disk()
    add_epoch(log, 0)
    begun = time.monotonic()
    log.wait_for_disk()  # for what was there before the epoch
    assert time.monotonic() - begun < 5
    size = log._writer.size_bytes
    waiting = threading.Thread(target=log.wait_for_disk)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive(), "epoch 0 is not safe yet"
    synced.release(100)
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()
    assert log._writer.synced_bytes >= size


def test_a_disk_that_hangs_is_not_waited_for_for_ever(
    log: ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_log, "_LONGEST_WAIT_FOR_DISK_SECONDS", 0.2)
    hanging = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: hanging.wait(PATIENCE_SECONDS))
    add_epoch(log, 0)
    for _ in range(2):
        log.wait_for_disk()
    hanging.set()


def test_it_is_mirrored_for_others(
    store: Path, home: StoreHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert experiment_log._MIRROR_AFTER_SECONDS + 2 * experiment_log._SIGN_OF_LIFE_SECONDS > 30
    assert experiment_log._MIRROR_AFTER_SECONDS + experiment_log._SIGN_OF_LIFE_SECONDS <= 30
    monkeypatch.setattr(experiment_log, "_MIRROR_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(experiment_log, "_SIGN_OF_LIFE_SECONDS", 0.1)
    log = ExperimentLog(home, NAME, ID)
    for epoch in range(3):
        add_epoch(log, epoch)
        wait_until(lambda n=epoch: plain_table(store, "metrics").num_rows == n + 1)
        assert epochs(store) == list(range(epoch + 1))
    log.close()


def test_a_sign_of_life(store: Path, home: StoreHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment_log, "_SIGN_OF_LIFE_SECONDS", 0.05)
    log = ExperimentLog(home, NAME, ID)
    path = store / NAME.segment(0)
    os.utime(path, (0, 0))
    wait_until(lambda: path.stat().st_mtime > 1000)
    log.close()


def test_segments_follow_each_other_while_others_read(
    store: Path, home: StoreHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_log, "_FULL_SEGMENT_BYTES", 2000)
    log = ExperimentLog(home, NAME, ID)
    log.put("experiments", [experiment_record(experiment_id=ID)])
    stop, failures, looks = threading.Event(), [], []

    def look() -> None:
        while not stop.is_set():
            try:
                found = epochs(store)
                assert found == list(range(len(found)))
                assert len(found) >= (looks[-1] if looks else 0)
                (run,) = Tables(home.files).read("experiments").to_pylist()
                assert run["status"] == "running"
                (summary,) = Tables(home.files).read("metric_summaries").to_pylist() or [
                    {"count": 0}
                ]
                assert summary["count"] >= len(found)
                looks.append(len(found))
            except BaseException as error:  # noqa: BLE001 - shown by the assertion
                failures.append(error)
                return

    reader = threading.Thread(target=look)
    reader.start()
    for epoch in range(150):
        assert add_epoch(log, epoch)
        time.sleep(0.01)
    wait_until(lambda: len(looks) > 5 or failures)
    stop.set()
    reader.join()
    assert failures == []
    assert log._writer.number > 3
    assert len(list((store / "log").rglob("*.jsonl"))) <= 2
    log.close()
    assert epochs(store) == list(range(150))
    assert rows_of_plain_arrow(store) == rows_of_readers(home.files)


def test_one_that_is_idle_closes_by_itself(store: Path, home: StoreHome) -> None:
    log = ExperimentLog(home, LogName.further("project=digits", ID), ID, closes_when_idle=0.2)
    add_epoch(log, 0)
    wait_until(lambda: not log.is_open and not LocalFiles(store).list("log"))
    assert plain_table(store, "metrics")["epoch"].to_pylist() == [0]
    assert not add_epoch(log, 1)


def test_one_that_another_process_has_taken_away(
    store: Path, writer_factory: WriterFactory
) -> None:
    """It was taken for dead, as after a long sleep of the machine; it goes on all the same."""
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, 0, 0.5)])
    (name,) = logs_of(writer.files, run)
    leave_log(writer.files, name)
    assert Store(store).experiments()["status"].tolist() == ["interrupted"]
    assert writer.files.list("log") == []

    writer.append_metrics([metric_record(run, 1, 0.25)])

    assert Store(store).experiments()["status"].tolist() == ["running"]
    assert epochs(store) == [0, 1]
    writer.set(status="finished")
    writer.save_experiment()
    writer.close()
    assert Store(store).experiments()["status"].tolist() == ["finished"]
    assert epochs(store) == [0, 1]
    assert rows_of_plain_arrow(store) == rows_of_readers(writer.files)


def test_threads_may_share_it(store: Path, log: ExperimentLog) -> None:
    start = threading.Barrier(6)

    def work(thread: int) -> None:
        start.wait()
        for number in range(30):
            add_epoch(log, thread * 100 + number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [thread * 100 + number for thread in range(6) for number in range(30)]
    assert sorted(epochs(store)) == expected
    log.close()
    assert sorted(epochs(store)) == expected


def test_a_record_of_a_wrong_type_is_refused(store: Path, log: ExperimentLog) -> None:
    with pytest.raises((TypeError, ValueError)):
        log.add("metrics", [metric_record(ID, 0, 0.5, step="ten")])
    with pytest.raises((TypeError, ValueError)):
        log.put("experiments", [experiment_record(experiment_id=ID, seed="x")])
    add_epoch(log, 1)
    assert epochs(store) == [1]
    assert read_logs(LocalFiles(store))[0].segments[0].damaged_lines == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_leaves_it_alone(store: Path, log: ExperimentLog) -> None:
    add_epoch(log, 0)
    child = os.fork()
    if not child:
        try:
            log.close()
            experiment_log._leave_all()
        finally:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7

    assert log.is_open
    assert add_epoch(log, 1)
    assert epochs(store) == [0, 1]
    assert LocalFiles(store).list("experiments") == []


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")
def test_workers_of_a_pool_leave_it_alone(store: Path, log: ExperimentLog) -> None:
    program = textwrap.dedent(
        """
        import multiprocessing, sys
        from modelkb_store.writer import ExperimentWriter
        from small_experiment import experiment_record, metric_record

        writer = ExperimentWriter(sys.argv[1], "digits", experiment_record(1))
        run = writer.experiment.experiment_id
        writer.append_metrics([metric_record(run, 0, 0.5)])
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
        writer.append_metrics([metric_record(run, 1, 0.5)])
        writer.set(status="finished")
        writer.save_experiment()
        writer.close()
        """
    )
    support = Path(__file__).parents[2] / "support"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(store)],
        check=True,
        cwd=support,
        timeout=60,
    )
    add_epoch(log, 5)
    assert sorted(epochs(store)) == [0, 1, 5]
    assert multiprocessing.active_children() == []


def test_a_full_disk_at_the_end_costs_nothing(
    store: Path, home: StoreHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ExperimentLog(home, NAME, ID)
    log.put("experiments", [experiment_record(experiment_id=ID, status="finished")])
    add_epoch(log, 0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "write", full)
        with pytest.raises(OSError, match="No space"):
            log.close()
    assert epochs(store) == [0]

    assert Store(store).experiments()["status"].tolist() == ["finished"]
    assert home.files.list("log") == [], "it had said its end, so anybody may fold it"
    assert plain_table(store, "metrics")["epoch"].to_pylist() == [0]


def test_what_fails_in_the_background_is_tried_again(
    store: Path,
    home: StoreHome,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(experiment_log, "_MIRROR_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(experiment_log, "_SIGN_OF_LIFE_SECONDS", 0.1)
    caplog.set_level(logging.DEBUG, "modelkb_store")
    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "create", lambda *_: 1 / 0)
        log = ExperimentLog(home, NAME, ID)
        time.sleep(0.2)
        add_epoch(log, 0)
        wait_until(lambda: "could not be looked after" in caplog.text)
    add_epoch(log, 1)
    wait_until(lambda: plain_table(store, "metrics").num_rows == 2)
    log.close()


def test_a_cut_is_an_entry(store: Path, log: ExperimentLog) -> None:
    for epoch in range(4):
        add_epoch(log, epoch)
    assert log.append(Action.CUT, "", {"epoch": 2})
    assert epochs(store) == [0, 1]


def test_a_killed_process_is_told_of_by_the_next_reader(
    store: Path, writer_factory: WriterFactory
) -> None:
    writer = writer_factory()
    kill(writer)
    assert Tables(writer.files).read("experiments")["status"].to_pylist() == ["interrupted"]
