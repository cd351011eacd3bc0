from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lost_processes import kill, leave_log, logs_of
from modelkb_store import Store
from modelkb_store.files.local_files import LocalFiles
from modelkb_store.log.process_identity import ProcessIdentity
from modelkb_store.log.recovery import recover
from modelkb_store.tables import Tables
from modelkb_store.writer import ExperimentWriter
from small_experiment import experiment_record, metric_record
from store_rows import rows_of_plain_arrow, rows_of_readers
from watched_files import Killed, WatchedFiles

pytestmark = pytest.mark.usefixtures("_no_power_failure")
WriterFactory = Callable[..., ExperimentWriter]


def killed_run(writer_factory: WriterFactory) -> str:
    writer = writer_factory()
    run = writer.experiment.experiment_id
    writer.append_metrics([metric_record(run, epoch, 0.5) for epoch in range(2)])
    kill(writer)
    return run


def test_dead_logs_are_folded_and_others_are_not(
    store: Path, writer_factory: WriterFactory
) -> None:
    runs = [killed_run(writer_factory) for _ in range(3)]
    alive = writer_factory().experiment.experiment_id
    files = LocalFiles(store)

    recover(files)

    assert [name.log_id for name in logs_of(files, "")] == [alive]
    status = Store(store).experiments().set_index("experiment_id")["status"].to_dict()
    assert status == {**dict.fromkeys(runs, "interrupted"), alive: "running"}


def test_the_next_who_records_does_so_as_well(store: Path, writer_factory: WriterFactory) -> None:
    run = killed_run(writer_factory)
    writer = writer_factory()

    assert [name.log_id for name in logs_of(writer.files, run)] == []
    assert Tables(writer.files).read("metrics").num_rows == 2


@pytest.mark.parametrize(("silence", "is_folded"), [(0, False), (60, False), (200, True)])
def test_a_process_on_another_machine(
    store: Path, writer_factory: WriterFactory, silence: int, is_folded: bool
) -> None:
    writer = writer_factory()
    (name,) = logs_of(writer.files, writer.experiment.experiment_id)
    leave_log(writer.files, name, ProcessIdentity("another machine", 1, 0.0))
    moment = time.time() - silence
    os.utime(store / name.segment(0), (moment, moment))

    expected = "interrupted" if is_folded else "running"
    assert Tables(writer.files).read("experiments")["status"].to_pylist() == [expected]
    recover(writer.files)
    assert (logs_of(writer.files, "") == []) == is_folded
    assert Tables(writer.files).read("experiments")["status"].to_pylist() == [expected]


def test_what_cannot_be_done_is_left(store: Path, writer_factory: WriterFactory) -> None:
    killed_run(writer_factory)
    before = rows_of_readers(LocalFiles(store))

    class FullDisk(LocalFiles):
        def write(self, path: str, content: bytes | memoryview) -> None:
            raise OSError(28, "No space left on device")

        def create(self, path: str, content: bytes) -> bool:
            raise OSError(28, "No space left on device")

    recover(FullDisk(store))
    assert rows_of_readers(LocalFiles(store)) == before
    recover(LocalFiles(store))
    assert rows_of_readers(LocalFiles(store))["metrics"] == before["metrics"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store(store: Path, writer_factory: WriterFactory) -> None:
    killed_run(writer_factory)
    folders = [store, *(path for path in store.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert Store(store).experiments()["status"].tolist() == ["interrupted"]
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_damaged_table_does_not_keep_others_from_it(
    store: Path, writer_factory: WriterFactory
) -> None:
    killed_run(writer_factory)
    (store / "variables" / "project=digits").mkdir(parents=True)
    (store / "variables" / "project=digits" / "x.parquet").write_bytes(b"damaged")
    recover(LocalFiles(store))
    assert logs_of(LocalFiles(store), "") == []


def test_many_open_it_at_once(store: Path, writer_factory: WriterFactory) -> None:
    for _ in range(4):
        killed_run(writer_factory)
    before = rows_of_readers(LocalFiles(store))["metrics"]
    start, failures = threading.Barrier(6), []

    def work() -> None:
        start.wait()
        try:
            assert rows_of_readers(Store(store).files)["metrics"] == before
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    Store(store)
    assert LocalFiles(store).list("log") == []
    assert rows_of_plain_arrow(store) == rows_of_readers(LocalFiles(store))


def test_a_claim_of_the_dead_is_cleared_away(store: Path, writer_factory: WriterFactory) -> None:
    from lost_processes import leave_claims

    run = killed_run(writer_factory)
    (name,) = logs_of(LocalFiles(store), run)
    from modelkb_store.log.folding import fold

    count = 0
    while True:
        files = WatchedFiles(store, killed_after=count)
        try:
            fold(files, name)
        except Killed:
            leave_claims(LocalFiles(store))
            if LocalFiles(store).list("log") and not logs_of(LocalFiles(store), run):
                break
            count += 1
        else:
            raise AssertionError("the claim is deleted last")
    assert all(info.path.endswith(".claim") for info in LocalFiles(store).list("log"))
    recover(LocalFiles(store))
    assert LocalFiles(store).list("log") == []


def test_a_real_process_that_is_killed(store: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, sys
        from modelkb_store.writer import ExperimentWriter
        from small_experiment import experiment_record, metric_record

        writer = ExperimentWriter(sys.argv[1], "digits", experiment_record(1))
        for epoch in range(5):
            run = writer.experiment.experiment_id
            writer.append_metrics([metric_record(run, epoch, float(epoch))])
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    support = Path(__file__).parents[2] / "support"
    process = subprocess.run(
        [sys.executable, "-c", program, str(store)], check=False, cwd=support, timeout=60
    )
    assert process.returncode == -9

    run = Store(store).experiment(experiment_record(1).experiment_id)
    assert run.record.status == "interrupted"
    assert run.metrics()["value"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert LocalFiles(store).list("log") == []
